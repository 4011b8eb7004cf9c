// VitePress's own theme, with the bird's colours and code that fits its column.
import DefaultTheme from 'vitepress/theme'
import './style.css'

export default DefaultTheme
