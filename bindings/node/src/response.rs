//! An answer.

use std::sync::{Arc, Weak};

use napi::bindgen_prelude::{ArrayBuffer, ObjectFinalize};
use napi::{Either, Env, JsString};
use napi_derive::napi;
use nomyo::Response;

use crate::attestation::Verdict;
use crate::header::Header;
use crate::view::{Block, NativeBlock, NoView, view};

type View<'env> = (ArrayBuffer<'env>, Option<NativeBlock>);

/// An answer, in the vault until it is closed or collected.
#[napi(custom_finalize)]
pub struct NativeResponse {
    response: Option<Response>,
    /// The views of it that JavaScript may still have.
    views: Vec<Weak<Block>>,
    /// What the garbage collector has been told that it holds.
    weight: i64,
}

impl From<Response> for NativeResponse {
    fn from(response: Response) -> NativeResponse {
        NativeResponse { response: Some(response), views: Vec::new(), weight: 0 }
    }
}

#[napi]
impl NativeResponse {
    /// Tells the garbage collector how much hangs on this object. Returns how many choices there are.
    #[napi]
    pub fn weigh(&mut self, env: Env) -> napi::Result<u32> {
        let response = self.open()?;
        let choices = u32::try_from(response.choice_count()).unwrap_or(u32::MAX);
        let weight = i64::try_from(response.json().len()).unwrap_or(i64::MAX);
        env.adjust_external_memory(weight - self.weight)?;
        self.weight = weight;
        Ok(choices)
    }

    /// What `what` names, as a string of JavaScript's; null when absent.
    #[napi]
    pub fn text<'env>(&self, env: &'env Env, what: String, choice: u32) -> napi::Result<Option<JsString<'env>>> {
        found(self.open()?, &what, choice).map(|text| env.create_string(text)).transpose()
    }

    /// The same as an ArrayBuffer over memory of the vault, and what to keep as long as that is there; null when absent, a
    /// sentence when there can be none.
    #[napi]
    pub fn view<'env>(
        &mut self,
        env: &'env Env,
        what: String,
        choice: u32,
    ) -> napi::Result<Option<Either<View<'env>, &'static str>>> {
        let Some(text) = found(self.open()?, &what, choice) else { return Ok(None) };
        if text.is_empty() {
            return ArrayBuffer::copy_from(env, b"").map(|empty| Some(Either::A((empty, None))));
        }
        match view(env, text.as_bytes()) {
            Ok((buffer, block)) => {
                self.views.retain(|view| view.strong_count() > 0);
                self.views.push(Arc::downgrade(&block));
                Ok(Some(Either::A((buffer, Some(block.into())))))
            }
            Err(NoView::Memory) => Ok(Some(Either::B("there is no memory for a view"))),
            Err(NoView::Runtime) => Ok(Some(Either::B(
                "this runtime does not let JavaScript see memory of others, so that there are no views; use text instead",
            ))),
            Err(NoView::Other(error)) => Err(error),
        }
    }

    #[napi]
    pub fn payload_id(&self) -> napi::Result<&str> {
        self.open().map(Response::payload_id)
    }

    #[napi]
    pub fn request_id(&self) -> napi::Result<Option<&str>> {
        self.open().map(Response::request_id)
    }

    #[napi]
    pub fn headers(&self) -> napi::Result<Vec<Header>> {
        Ok(Header::all(self.open()?.headers()))
    }

    #[napi]
    pub fn attempts(&self) -> napi::Result<u32> {
        self.open().map(Response::attempts)
    }

    #[napi]
    pub fn attestation(&self) -> napi::Result<Verdict> {
        Ok(self.open()?.attestation().into())
    }

    /// JSON.
    #[napi]
    pub fn attestation_report(&self) -> napi::Result<String> {
        Ok(self.open()?.attestation().report())
    }

    /// Wipes the answer, and what JavaScript has of it.
    #[napi]
    pub fn close(&mut self, env: Env) -> napi::Result<()> {
        self.views.drain(..).filter_map(|view| view.upgrade()).for_each(|block| block.wipe());
        self.response = None;
        env.adjust_external_memory(-std::mem::take(&mut self.weight)).map(|_| ())
    }

    fn open(&self) -> napi::Result<&Response> {
        self.response.as_ref().ok_or_else(|| napi::Error::from_reason("closed"))
    }
}

impl ObjectFinalize for NativeResponse {
    fn finalize(self, env: Env) -> napi::Result<()> {
        env.adjust_external_memory(-self.weight).map(|_| ())
    }
}

/// A member of a choice by its name, or a value by its JSON Pointer.
fn found<'a>(response: &'a Response, what: &str, choice: u32) -> Option<&'a str> {
    let choice = choice as usize;
    match what {
        "content" => response.content(choice),
        "reasoning" => response.reasoning(choice),
        "toolCalls" => response.tool_calls(choice),
        "finishReason" => response.finish_reason(choice),
        "" => Some(response.json()),
        pointer => response.pointer(pointer),
    }
}

/// Takes an ArrayBuffer's contents away from JavaScript.
#[napi]
pub fn detach(buffer: ArrayBuffer<'_>) -> napi::Result<()> {
    buffer.detach()
}
