import { describe } from 'node:test';
import type { EngineFactory } from '../../../src/listener/engine.ts';
import { backpressureContract } from './backpressure.ts';
import { framingContract } from './framing.ts';
import { lifecycleContract } from './lifecycle.ts';
import { refusalContract } from './refusal.ts';
import { requestBodyContract } from './request-body.ts';
import { requestHeadContract } from './request-head.ts';
import { slowClientContract } from './slow-client.ts';

/** What engines do differently on purpose. */
export interface EngineFacts {
  readonly scheme: 'http' | 'https';
  /** What happens to a request that comes while the answer to the one before is pending: served in turn, or the connection closed. */
  readonly pipelined: 'served' | 'closed';
  /** What a client counts for that has ended its side of the connection before it was answered. */
  readonly halfClosed: 'served' | 'gone';
  /** Whether the handler is told of a head that is too large, so that it can be logged. */
  readonly tellsLargeHeads: boolean;
  /** Whether two engines can listen on one port by themselves. */
  readonly sharesPorts: boolean;
}

/** An engine under the contract. */
export interface Subject {
  readonly factory: EngineFactory;
  readonly facts: EngineFacts;
}

/** What every engine promises, stated from the client's side over raw sockets. */
export function contract(name: string, factory: EngineFactory, facts: EngineFacts): void {
  const subject = { factory, facts };
  describe(`the listener contract, ${name}`, () => {
    framingContract(subject);
    requestHeadContract(subject);
    requestBodyContract(subject);
    refusalContract(subject);
    backpressureContract(subject);
    slowClientContract(subject);
    lifecycleContract(subject);
  });
}
