import { constants, createHmac, type KeyObject, timingSafeEqual, verify } from 'node:crypto';

/** How an algorithm of RFC 7518 section 3.1 or RFC 8037 checks a signature, and with which keys. */
interface AlgorithmRule {
  /** `kty` of its keys. */
  readonly keyType: 'RSA' | 'EC' | 'OKP' | 'oct';
  /** Undefined where the key says it. */
  readonly digest: string | undefined;
  readonly curve?: string;
  readonly pss?: true;
}

/** `none` is none of them. */
export const jwtAlgorithms = {
  RS256: { keyType: 'RSA', digest: 'sha256' },
  RS384: { keyType: 'RSA', digest: 'sha384' },
  RS512: { keyType: 'RSA', digest: 'sha512' },
  PS256: { keyType: 'RSA', digest: 'sha256', pss: true },
  PS384: { keyType: 'RSA', digest: 'sha384', pss: true },
  PS512: { keyType: 'RSA', digest: 'sha512', pss: true },
  ES256: { keyType: 'EC', digest: 'sha256', curve: 'P-256' },
  ES384: { keyType: 'EC', digest: 'sha384', curve: 'P-384' },
  ES512: { keyType: 'EC', digest: 'sha512', curve: 'P-521' },
  EdDSA: { keyType: 'OKP', digest: undefined },
  HS256: { keyType: 'oct', digest: 'sha256' },
  HS384: { keyType: 'oct', digest: 'sha384' },
  HS512: { keyType: 'oct', digest: 'sha512' },
} as const satisfies Record<string, AlgorithmRule>;

export type JwtAlgorithm = keyof typeof jwtAlgorithms;

export function isJwtAlgorithm(name: unknown): name is JwtAlgorithm {
  return typeof name === 'string' && Object.hasOwn(jwtAlgorithms, name);
}

/** Whether the algorithm needs a secret that both sides have. */
export function isSymmetric(algorithm: JwtAlgorithm): boolean {
  return jwtAlgorithms[algorithm].keyType === 'oct';
}

/** Whether the signature is the one of those bytes; in constant time where there is a secret. */
export function verifySignature(algorithm: JwtAlgorithm, key: KeyObject, signed: Buffer, signature: Buffer): boolean {
  const rule: AlgorithmRule = jwtAlgorithms[algorithm];
  switch (rule.keyType) {
    case 'oct': {
      const expected = createHmac(rule.digest ?? '', key)
        .update(signed)
        .digest();
      return expected.length === signature.length && timingSafeEqual(expected, signature);
    }
    case 'RSA': {
      const pss = { padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: constants.RSA_PSS_SALTLEN_DIGEST };
      const padding = rule.pss === true ? pss : { padding: constants.RSA_PKCS1_PADDING };
      return verify(rule.digest, signed, { key, ...padding }, signature);
    }
    case 'EC':
      return verify(rule.digest, signed, { key, dsaEncoding: 'ieee-p1363' }, signature);
    case 'OKP':
      return verify(null, signed, key, signature);
  }
}
