export { PeerClosed, ScriptedPeer, type ScriptedPeerOptions } from './scripted-peer.js'
