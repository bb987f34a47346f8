export type Theme = 'system' | 'light' | 'dark';
const key = 'cocket.theme';

const isTheme = (s: string | null): s is Theme => s === 'system' || s === 'light' || s === 'dark';

export function storedTheme(): Theme {
  try {
    const s = localStorage.getItem(key);
    return isTheme(s) ? s : 'system';
  } catch {
    return 'system'; // storage is switched off
  }
}

export function setTheme(theme: Theme): void {
  if (theme === 'system') delete document.documentElement.dataset['theme'];
  else document.documentElement.dataset['theme'] = theme;
  try {
    localStorage.setItem(key, theme);
  } catch {
    // lasts as long as the page
  }
}
