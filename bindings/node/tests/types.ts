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
  type ChatCompletion,
  type ClientOptions,
} from 'nomyo-native';

const options: ClientOptions = {
  apiKey: Buffer.from('key'),
  caFile: new URL('file:///ca.pem'),
  rateLimit: { perSecond: 2, burst: 4 },
  serverKeyPins: ['0'.repeat(64)],
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
  await client.generateKeys('keys', 'password');
  await client.loadKeys(new URL('file:///key.pem'));
  client.close();
  try {
    verifyAttestation({ is_available: true }, 'id', { require: 'consistent' });
  } catch (error) {
    if (error instanceof CancelledError) return error.code;
    if (error instanceof APIError) return `${error.statusCode} ${error.errorDetails?.['detail']}`;
    if (error instanceof NomyoError) return error.status + (error.retryAfterMs ?? 0) + (error.details?.length ?? 0);
  }
  return [text, view, firmware, tokens, version, new ArgumentError('why').message].join();
}

export async function asTheSdk(): Promise<string> {
  const chat = new SecureChatCompletion({ baseUrl: 'https://a', keyRotationInterval: 0, debug: true });
  const answer = await chat.create({ model: 'm', messages: [], security_tier: 'maximum', temperature: 0.1 });
  const low = new SecureCompletionClient({ routerUrl: 'https://a', keySize: 4096 });
  const encrypted: ArrayBuffer = await low.encryptPayload({ model: 'm' });
  chat.dispose();
  return `${answer.choices?.[0]?.message?.content} ${encrypted.byteLength} ${answer._metadata.payload_id}`;
}

// @ts-expect-error no such option
new Client({ baseURL: 'x' });
// @ts-expect-error no such tier
new Client().create({ model: 'm', messages: [] }, { securityTier: 'High' });
// @ts-expect-error messages are missing
new Client().create({ model: 'm' });
// @ts-expect-error text is no request
new Client().create('{}');
// @ts-expect-error an answer comes from a client
new Response();
// @ts-expect-error no such level
verifyAttestation({}, 'id', { require: 'absent' });
