import { createContext, Script } from 'node:vm';

/** What the body of a healthy answer has in it: a text, or a match of a regular expression. */
export type BodyExpectation = { readonly text: string } | { readonly matches: string };

/** Longest time that a regular expression may take, milliseconds: one that goes back and forth must not hold up the primary. */
const matchTimeoutMs = 50;

/** Decides about a body that is here whole, or as much of it as is read. */
export type BodyMatch = (body: Buffer) => boolean;

/** @throws SyntaxError when the regular expression is none */
export function compileBodyMatch(expectation: BodyExpectation): BodyMatch {
  if ('text' in expectation) {
    const wanted = Buffer.from(expectation.text);
    return (body) => body.includes(wanted);
  }
  const pattern = new RegExp(expectation.matches, 'mu');
  const script = new Script('pattern.test(text)');
  return (body) => {
    const context = createContext({ pattern, text: body.toString() });
    try {
      return script.runInContext(context, { timeout: matchTimeoutMs }) === true;
    } catch {
      // It took too long: that is no match.
      return false;
    }
  };
}
