export {
  decodeFrame,
  encodeFrame,
  type Frame,
  FrameDamage,
  type FrameKind,
  frameVersion,
  NewerFrame,
} from './frame/frame.js'
