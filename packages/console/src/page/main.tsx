import { render } from 'preact'
import './styles/base.css'
import './styles/shell.css'
import './styles/parts.css'
import './styles/topics.css'
import { App } from './app.js'
import { begin } from './session.js'

render(<App />, document.getElementById('app')!)
void begin()
