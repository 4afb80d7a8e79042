//! A client, and its calls: promises, each of an [`Outcome`].

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use napi::Env;
use napi::bindgen_prelude::{FnArgs, Function, Object, ToNapiValue};
use napi::threadsafe_function::ThreadsafeFunctionCallMode::NonBlocking;
use napi_derive::napi;
use nomyo::boundary::{contained, contained_on};
use nomyo::{Client, Config, PublishedKey, Result};

use crate::call;
use crate::config::{Settings, level};
use crate::input::{Input, copied, copied_or_empty};
use crate::limits::{CallOptions, Limits, Signal, milliseconds};
use crate::outcome::Outcome;
use crate::private_key::NativePrivateKey;
use crate::response::NativeResponse;
use crate::sealed::NativeSealed;

/// Receives the number of a level, and a line.
type Log<'a> = Function<'a, FnArgs<(i32, String)>, ()>;

/// A client. What is under way when it is closed goes on.
#[napi]
pub struct NativeClient {
    client: Option<Arc<Client>>,
    /// The timeout of each call, unless it is the library's default.
    timeout: Option<Duration>,
}

/// Makes a client. `log` is called on the event loop, with lines up to `log_level`, and does not keep it alive.
#[napi]
pub fn make_client(
    settings: Settings,
    api_key: Option<Input<'_>>,
    key_password: Option<Input<'_>>,
    client_key: Option<Input<'_>>,
    log_level: i32,
    log: Option<Log<'_>>,
) -> napi::Result<Outcome<NativeClient>> {
    let (api_key, key_password, client_key) = (api_key.map(copied), key_password.map(copied), client_key.map(copied));
    let write = log
        .map(|log| {
            log.build_threadsafe_function::<(i32, String)>()
                .weak::<true>()
                .build_callback(|line| Ok(FnArgs::from(line.value)))
        })
        .transpose()?;
    let timeout = settings.timeout.map(milliseconds);
    let client = contained(|| {
        let mut config: Config = settings.config(api_key.as_deref(), key_password.as_deref(), client_key.as_deref())?;
        if let Some(write) = write {
            config.set_log(level(log_level), move |level, line| {
                // The environment may have ended; then nobody reads it.
                write.call((level as i32, line.to_owned()), NonBlocking);
            });
        }
        Client::new(&config)
    });
    Ok(client.map(|client| NativeClient { client: Some(Arc::new(client)), timeout }).into())
}

/// The server's public key.
#[napi(object, object_from_js = false)]
pub struct ServerKey {
    pub pem: String,
    pub fingerprint: String,
}

#[napi]
impl NativeClient {
    #[napi]
    pub fn close(&mut self) {
        self.client = None;
    }

    #[napi]
    pub fn create<'env>(
        &self,
        env: &'env Env,
        options: CallOptions,
        cancel: Signal<'_>,
        json: Input<'_>,
        api_key: Option<Input<'_>>,
    ) -> napi::Result<Object<'env>> {
        let (json, api_key) = (copied(json), api_key.map(copied));
        self.start(env, self.limits(options, cancel, api_key), move |client, request| {
            client.create(&json, request).map(NativeResponse::from)
        })
    }

    #[napi]
    pub fn warm_up<'env>(
        &self,
        env: &'env Env,
        options: CallOptions,
        cancel: Signal<'_>,
    ) -> napi::Result<Object<'env>> {
        self.start(env, self.limits(options, cancel, None), |client, _| client.warm_up())
    }

    #[napi]
    pub fn server_key<'env>(
        &self,
        env: &'env Env,
        options: CallOptions,
        cancel: Signal<'_>,
    ) -> napi::Result<Object<'env>> {
        self.start(env, self.limits(options, cancel, None), |client, _| {
            let PublishedKey { pem, sha256: fingerprint, .. } = client.server_key()?;
            Ok(ServerKey { pem, fingerprint })
        })
    }

    /// JSON.
    #[napi]
    pub fn tls_chain<'env>(
        &self,
        env: &'env Env,
        options: CallOptions,
        cancel: Signal<'_>,
    ) -> napi::Result<Object<'env>> {
        self.start(env, self.limits(options, cancel, None), |client, _| client.tls_chain())
    }

    #[napi]
    pub fn public_key<'env>(
        &self,
        env: &'env Env,
        options: CallOptions,
        cancel: Signal<'_>,
    ) -> napi::Result<Object<'env>> {
        self.start(env, self.limits(options, cancel, None), |client, _| client.public_key())
    }

    #[napi]
    pub fn generate_keys<'env>(
        &self,
        env: &'env Env,
        options: CallOptions,
        cancel: Signal<'_>,
        dir: Option<String>,
        password: Option<Input<'_>>,
    ) -> napi::Result<Object<'env>> {
        let password = copied_or_empty(password);
        self.start(env, self.limits(options, cancel, None), move |client, _| {
            client.generate_keys(dir.as_deref().map(Path::new), &password)
        })
    }

    #[napi]
    pub fn load_keys<'env>(
        &self,
        env: &'env Env,
        options: CallOptions,
        cancel: Signal<'_>,
        private: String,
        public: Option<String>,
        password: Option<Input<'_>>,
    ) -> napi::Result<Object<'env>> {
        let password = copied_or_empty(password);
        self.start(env, self.limits(options, cancel, None), move |client, _| {
            client.load_keys(Path::new(&private), public.as_deref().map(Path::new), &password)
        })
    }

    #[napi]
    pub fn load_keys_pem<'env>(
        &self,
        env: &'env Env,
        options: CallOptions,
        cancel: Signal<'_>,
        private: Input<'_>,
        public: Option<Input<'_>>,
        password: Option<Input<'_>>,
    ) -> napi::Result<Object<'env>> {
        let (private, public, password) = (copied(private), public.map(copied), copied_or_empty(password));
        self.start(env, self.limits(options, cancel, None), move |client, _| {
            client.load_keys_pem(&private, public.as_deref(), &password)
        })
    }

    #[napi]
    pub fn private_key_pem<'env>(
        &self,
        env: &'env Env,
        options: CallOptions,
        cancel: Signal<'_>,
        password: Option<Input<'_>>,
    ) -> napi::Result<Object<'env>> {
        let password = copied_or_empty(password);
        self.start(env, self.limits(options, cancel, None), move |client, _| {
            client.private_key_pem(&password).map(NativePrivateKey::from)
        })
    }

    #[napi]
    pub fn save_keys<'env>(
        &self,
        env: &'env Env,
        options: CallOptions,
        cancel: Signal<'_>,
        dir: String,
        password: Option<Input<'_>>,
    ) -> napi::Result<Object<'env>> {
        let password = copied_or_empty(password);
        self.start(env, self.limits(options, cancel, None), move |client, _| {
            client.save_keys(Path::new(&dir), &password)
        })
    }

    #[napi]
    pub fn rotate_keys<'env>(
        &self,
        env: &'env Env,
        options: CallOptions,
        cancel: Signal<'_>,
    ) -> napi::Result<Object<'env>> {
        self.start(env, self.limits(options, cancel, None), |client, _| client.rotate_keys())
    }

    #[napi]
    pub fn seal<'env>(
        &self,
        env: &'env Env,
        options: CallOptions,
        cancel: Signal<'_>,
        server_pem: Input<'_>,
        json: Input<'_>,
    ) -> napi::Result<Object<'env>> {
        let (server_pem, json) = (copied(server_pem), copied(json));
        self.start(env, self.limits(options, cancel, None), move |client, request| {
            let sealed = Arc::new(client.seal(&server_pem, &json, request)?);
            Ok(NativeSealed { sealed })
        })
    }

    /// Decrypts, and waits for nothing: no limits.
    #[napi]
    pub fn open<'env>(&self, env: &'env Env, request: &NativeSealed, body: Input<'_>) -> napi::Result<Object<'env>> {
        let (sealed, body) = (Arc::clone(&request.sealed), copied(body));
        let client = self.client()?;
        call::start(env, None, None, move || {
            contained_on(&client, |client| client.open(&sealed, &body).map(NativeResponse::from))
        })
    }

    /// Runs `work` on a thread, with a client whose functions all obey the limits, and with the limits as options.
    fn start<'env, T: ToNapiValue + Send + 'static>(
        &self,
        env: &'env Env,
        limits: Limits,
        work: impl FnOnce(&Client, &nomyo::CallOptions) -> Result<T> + Send + 'static,
    ) -> napi::Result<Object<'env>> {
        let client = self.client()?;
        call::start(env, Some(limits.cancel()), limits.due(), move || {
            contained_on(&client, |client| {
                let request = limits.of_the_library()?;
                work(&client.with_options(&request)?, &request)
            })
        })
    }

    fn limits(&self, options: CallOptions, cancel: Signal<'_>, api_key: Option<Vec<u8>>) -> Limits {
        Limits::new(options, self.timeout, cancel, api_key)
    }

    fn client(&self) -> napi::Result<Arc<Client>> {
        self.client.clone().ok_or_else(|| napi::Error::from_reason("closed"))
    }
}
