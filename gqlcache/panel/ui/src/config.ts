/** What the server wrote into the page: see page in panel.go's options.go. */
export interface PageConfig {
  title: string;
  endpoint: string;
  subscriptions?: string;
  fetcherHeaders?: Record<string, string>;
  uiHeaders?: string;
  storagePrefix?: string;
  defaultQuery?: string;
  nonce: string;
}

export const config: PageConfig = JSON.parse(document.getElementById('gqlcache-config')!.textContent!);

export const endpoint = new URL(config.endpoint, location.href).href;

export const subscriptions = (() => {
  const url = new URL(config.subscriptions ?? config.endpoint, location.href);
  url.protocol = url.protocol.replace('http', 'ws');
  return url.href;
})();

/** localStorage under the page's prefix, as GraphiQL wants it. */
export const storage = {
  prefix: config.storagePrefix ?? '',
  getItem(key: string) {
    return localStorage.getItem(this.prefix + key);
  },
  setItem(key: string, value: string) {
    localStorage.setItem(this.prefix + key, value);
  },
  removeItem(key: string) {
    localStorage.removeItem(this.prefix + key);
  },
  clear() {
    for (const key of this.keys()) localStorage.removeItem(key);
  },
  get length() {
    return this.keys().length;
  },
  keys() {
    return Object.keys(localStorage).filter(key => key.startsWith(this.prefix));
  },
};
