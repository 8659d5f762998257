import { render } from 'preact'
import 'uplot/dist/uPlot.min.css'
import './styles/tokens.css'
import './styles/shell.css'
import './styles/elements.css'
import './styles/panels.css'
import './styles/pages.css'
import { App } from './app.jsx'

render(<App />, document.getElementById('page'))
