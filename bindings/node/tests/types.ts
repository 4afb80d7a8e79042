// Compiled, not run: what a TypeScript program may write, and what the compiler refuses.

import {
  APIError,
  ArgumentError,
  CancelledError,
  Client,
  NomyoError,
  Response,
  SecureChatCompletion,
  SecureCompletionClient,
  verifyAttestation,
  version,
  type Attestation,
  type Certificate,
  type ChatCompletion,
  type Choice,
  type ClientOptions,
  type Limits,
  type SecureBuffer,
} from 'nomyo-native';

const options: ClientOptions = {
  apiKey: Buffer.from('key'),
  caFile: new URL('file:///ca.pem'),
  rateLimit: { perSecond: 2, burst: 4 },
  serverKeyPins: ['0'.repeat(64)],
  tlsPins: 'sha256/47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=',
  postQuantum: false,
  environment: 'network',
  attestation: { require: 'baseline', pcrs: { 'sha256:7': ['00', '01'] } },
  memory: 'require',
  log: console,
  logLevel: 'debug',
};

export async function everything(signal: AbortSignal): Promise<string> {
  const client = new Client(options);
  const messages = [{ role: 'user', content: 'hi' }];
  const answer: Response = await client.create({ model: 'm', messages, anything: { else: 1 } }, { signal, securityTier: 'high' });
  const text: string | null = answer.content();
  const view: Buffer | null = answer.view('/usage');
  const verdict: Attestation = answer.attestation;
  const firmware: bigint = verdict.firmwareVersion;
  const whole: ChatCompletion = answer.json();
  const tokens: number | undefined = whole.usage?.total_tokens;
  answer.close();
  const sealed = await client.seal((await client.serverKey()).pem, new Uint8Array(3));
  await client.open(sealed, sealed.body);
  const limits: Limits = { signal, timeout: 1000 };
  await client.generateKeys('keys', 'password', limits);
  await client.loadKeysPem(new Uint8Array(), undefined, undefined, limits);
  const secret: SecureBuffer = await client.privateKeyPem(undefined, limits);
  secret.close();
  await client.loadKeys(new URL('file:///key.pem'), undefined, undefined, limits);
  await client.saveKeys('copy', undefined, limits);
  await client.rotateKeys(limits);
  await client.warmUp(limits);
  await client.seal(await client.publicKey(limits), new Uint8Array(3), { ...limits, securityTier: 'high' });
  const pins: string[] = (await client.tlsChain(limits)).map((certificate: Certificate) => certificate.sha256);
  const attempts: number = answer.attempts;
  client.close();
  try {
    verifyAttestation({ is_available: true }, 'id', { require: 'consistent' });
  } catch (error) {
    if (error instanceof CancelledError) return error.code;
    if (error instanceof APIError) return `${error.statusCode} ${error.errorDetails?.['detail']}`;
    if (error instanceof NomyoError && error.sent === 'maybe') return error.payloadId ?? 'none';
    // @ts-expect-error no such fact
    if (error instanceof NomyoError && error.sent === 'perhaps') return '';
    if (error instanceof NomyoError) return error.status + (error.retryAfterMs ?? 0) + (error.details?.length ?? 0);
  }
  return [pins, attempts, text, view, firmware, tokens, version, new ArgumentError('why').message].join();
}

export async function asTheSdk(): Promise<string> {
  const chat = new SecureChatCompletion({ baseUrl: 'https://a', keyRotationInterval: 0, debug: true });
  const answer = await chat.create({ model: 'm', messages: [], security_tier: 'maximum', temperature: 0.1 });
  const low = new SecureCompletionClient({ routerUrl: 'https://a', keySize: 4096 });
  const encrypted: ArrayBuffer = await low.encryptPayload({ model: 'm' });
  chat.dispose();
  return `${answer.choices[0]?.message.content} ${encrypted.byteLength} ${answer._metadata.payload_id}`;
}

export async function closedByTheirBlocks(): Promise<string> {
  using client = new Client();
  using chat = new SecureChatCompletion();
  using secret: SecureBuffer = await client.privateKeyPem();
  using answer = await client.create({ model: 'm', messages: [] });
  const [first]: Choice[] = answer.choices;
  const count: number = answer.choiceCount;
  const whole: ChatCompletion = answer.toJSON();
  const calls: number | undefined = first?.message.tool_calls?.length;
  return [first?.index, calls, first?.finish_reason, count, whole.id, secret.length, chat].join();
}

/** An option may be undefined, as a variable of the environment may be, also under exactOptionalPropertyTypes. */
export function fromTheEnvironment(timeout: number | undefined, signal: AbortSignal | undefined): Promise<Response> {
  const { URL: baseUrl, KEY: apiKey } = process.env;
  const chat = new SecureChatCompletion({ baseUrl, apiKey, timeout });
  void chat.create({ model: 'm', messages: [], api_key: apiKey, security_tier: undefined });
  new SecureCompletionClient({ routerUrl: baseUrl, keyDir: process.env['KEYS'] });
  return new Client({ baseUrl, apiKey, timeout }).create({ model: 'm', messages: [] }, { timeout, signal });
}

// @ts-expect-error no such option
new Client({ baseURL: 'x' });
// @ts-expect-error no such limit
new Client().warmUp({ timeOut: 5 });
// @ts-expect-error no such tier
new Client().create({ model: 'm', messages: [] }, { securityTier: 'High' });
// @ts-expect-error the tier is an option of the call, or security_tier
new Client().create({ model: 'm', messages: [], securityTier: 'high' });
// @ts-expect-error one argument too many
new Client().create({ model: 'm', messages: [] }, {}, { securityTier: 'high' });
// @ts-expect-error messages are missing
new Client().create({ model: 'm' });
// @ts-expect-error text is no request
new Client().create('{}');
// @ts-expect-error an answer comes from a client
new Response();
// @ts-expect-error no such level
verifyAttestation({}, 'id', { require: 'absent' });
