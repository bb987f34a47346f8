import { render } from 'preact';
import { App } from './app';
import { setTheme, storedTheme } from './theme';
import './style.css';

setTheme(storedTheme());
const app = document.getElementById('app');
if (app) render(<App />, app);
