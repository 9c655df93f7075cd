//! The mail server of the tests, `end2end/smtp.mjs`: a real one, in a process of its own.

use std::{
    io::{BufRead, BufReader},
    process::{Child, Command, Stdio},
    sync::Arc,
};

use axum::body::Body;
use domain::notify::Courier;
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::TokioExecutor,
};
use lessonbook::mail::smtp::Smtp;
use secrecy::SecretString;
use serde_json::Value;

/// Where the links in messages lead.
pub(crate) const SITE: &str = "https://lessons.test";

pub(crate) struct MailServer {
    child: Child,
    pub(crate) port: u16,
    http: String,
    client: Client<HttpConnector, Body>,
}

impl MailServer {
    pub(crate) fn start() -> Self {
        Self::start_with(&[])
    }

    /// `env` as `smtp.mjs` says.
    pub(crate) fn start_with(env: &[(&str, &str)]) -> Self {
        let mut child = Command::new("node")
            .arg(concat!(env!("CARGO_MANIFEST_DIR"), "/end2end/smtp.mjs"))
            .env("SMTP_UNTIL_EOF", "1")
            .envs(env.iter().copied())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let mut address = |name: &str| {
            let line = lines.next().unwrap_or_else(|| panic!("smtp.mjs ended")).unwrap();
            line.strip_prefix(&format!("{name} on ")).unwrap_or_else(|| panic!("{line}")).to_owned()
        };
        let smtp = address("smtp");
        let http = format!("http://{}", address("http"));
        let port = smtp.rsplit(':').next().unwrap().parse().unwrap();
        Self { child, port, http, client: Client::builder(TokioExecutor::new()).build_http() }
    }

    pub(crate) fn url(&self) -> String {
        format!("smtp://127.0.0.1:{}", self.port)
    }

    /// What takes messages to it.
    pub(crate) fn courier(&self) -> Arc<dyn Courier> {
        courier(&self.url())
    }

    /// All that it has accepted.
    pub(crate) async fn messages(&self) -> Vec<Value> {
        serde_json::from_slice(&self.get("/messages").await).unwrap()
    }

    /// What it has accepted for one.
    pub(crate) async fn to(&self, address: &str) -> Vec<Value> {
        let to = serde_urlencoded::to_string([("to", address)]).unwrap();
        serde_json::from_slice(&self.get(&format!("/messages?{to}")).await).unwrap()
    }

    pub(crate) async fn count(&self) -> usize {
        serde_json::from_slice(&self.get("/count").await).unwrap()
    }

    async fn get(&self, path: &str) -> Vec<u8> {
        let uri = format!("{}{path}", self.http).parse().unwrap();
        let response = self.client.get(uri).await.unwrap();
        axum::body::to_bytes(Body::new(response.into_body()), usize::MAX).await.unwrap().to_vec()
    }
}

/// As the program makes it, outside production.
pub(crate) fn courier(url: &str) -> Arc<dyn Courier> {
    Arc::new(Smtp::new(Some(&SecretString::from(url)), None, SITE, true).unwrap())
}

impl Drop for MailServer {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
