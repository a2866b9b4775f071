/** Ways to show an authority that a name is ours: RFC 8555 section 8.3 and RFC 8737. */
export type ChallengeType = 'http-01' | 'tls-alpn-01';

/** What a worker has to answer while an authority looks. Plain data: it crosses from the primary to the workers. */
export type ChallengeResponse =
  | {
      readonly type: 'http-01';
      /** Last segment of the path that is asked for. */
      readonly token: string;
      readonly keyAuthorization: string;
    }
  | {
      readonly type: 'tls-alpn-01';
      /** Host name in lower case, as the client asks for it by SNI. */
      readonly name: string;
      /** PEM. */
      readonly certificate: string;
      readonly key: string;
    };
