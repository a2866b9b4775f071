import type { AddressRules } from './address-gate.ts';
import type { BasicConfig } from './basic-gate.ts';
import type { ForwardConfig } from './forward-gate.ts';
import type { JwtConfig } from './jwt-gate.ts';

/** Who may ask for what a route has. Plain data: it crosses from the primary to the workers. */
export interface AccessConfig {
  /** Whether all of the others must let a request pass, or one. */
  readonly satisfy: 'all' | 'any';
  readonly addresses?: AddressRules | undefined;
  readonly basic?: BasicConfig | undefined;
  readonly jwt?: JwtConfig | undefined;
  readonly forward?: ForwardConfig | undefined;
}
