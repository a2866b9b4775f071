/** A browser of few words: keeps cookies, does not follow redirects, sends forms. */
export class BrowserSession {
  readonly origin: string;
  private readonly cookies = new Map<string, string>();

  constructor(origin: string) {
    this.origin = origin;
  }

  get(path: string, headers: Readonly<Record<string, string>> = {}): Promise<Response> {
    return this.send(path, { headers });
  }

  /** Posts a form with the CSRF token that the site gave as a cookie. */
  post(path: string, fields: Readonly<Record<string, string>>): Promise<Response> {
    const body = new URLSearchParams({ csrfmiddlewaretoken: this.cookie('csrftoken'), ...fields });
    return this.send(path, { method: 'POST', body, headers: { referer: `${this.origin}${path}` } });
  }

  cookie(name: string): string {
    return this.cookies.get(name) ?? '';
  }

  cookieHeader(): string {
    return [...this.cookies].map(([name, value]) => `${name}=${value}`).join('; ');
  }

  private async send(path: string, init: RequestInit): Promise<Response> {
    const headers = new Headers(init.headers);
    if (this.cookies.size > 0) headers.set('cookie', this.cookieHeader());
    const response = await fetch(`${this.origin}${path}`, { ...init, headers, redirect: 'manual' });
    for (const line of response.headers.getSetCookie()) {
      const [pair = ''] = line.split(';');
      const [name = '', ...value] = pair.split('=');
      this.cookies.set(name.trim(), value.join('='));
    }
    return response;
  }
}
