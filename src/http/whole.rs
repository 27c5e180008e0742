//! Answers are taken whole or not at all: none is larger than an API's answers are, and none is cut.

use std::io;

use aws_smithy_runtime_api::client::http::{
    HttpConnector, HttpConnectorFuture, SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_types::body::SdkBody;
use http_body_util::{BodyExt, Limited};

/// More than any answer of EC2's or GitHub's has: a thousand described instances are some five megabytes.
const LARGEST_BODY: usize = 8 * 1024 * 1024;

/// A connector whose responses have arrived whole.
#[derive(Clone, Debug)]
pub(super) struct Whole(pub SharedHttpConnector);

impl HttpConnector for Whole {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let answer = self.0.call(request);
        HttpConnectorFuture::new(async move {
            let mut response = answer.await?;
            let body = Limited::new(response.take_body(), LARGEST_BODY);
            let bytes = body
                .collect()
                .await
                .map_err(|error| ConnectorError::io(io::Error::other(error).into()))?
                .to_bytes();
            if is_cut_xml(&bytes) {
                let why = "the answer ends in the middle of its XML";
                let cut = io::Error::new(io::ErrorKind::UnexpectedEof, why);
                return Err(ConnectorError::io(cut.into()));
            }
            *response.body_mut() = SdkBody::from(bytes);
            Ok(response)
        })
    }
}

/// Whether this is a document of EC2's that does not end with its root's closing tag. A body that a middlebox cut, but framed
/// well, would be read as one with fewer instances.
fn is_cut_xml(body: &[u8]) -> bool {
    let body = body.trim_ascii();
    let Some(rest) = body.strip_prefix(b"<?xml") else {
        return false;
    };
    let Some(root) = rest
        .windows(2)
        .position(|pair| pair == b"?>")
        .map(|end| rest[end + 2..].trim_ascii_start())
    else {
        return true;
    };
    let name = root.strip_prefix(b"<").map(|tag| {
        let end = tag
            .iter()
            .position(|byte| byte.is_ascii_whitespace() || matches!(byte, b'>' | b'/'));
        &tag[..end.unwrap_or(tag.len())]
    });
    let Some(name) = name.filter(|name| !name.is_empty()) else {
        return true;
    };
    let closed = body
        .strip_suffix(b">")
        .and_then(|body| body.trim_ascii_end().strip_suffix(name))
        .is_some_and(|body| body.ends_with(b"</"));
    let is_empty_root = body.ends_with(b"/>") && !root[1..].contains(&b'<');
    !closed && !is_empty_root
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_document_ends_with_its_root() {
        let whole = r#"<?xml version="1.0" encoding="UTF-8"?>
            <DescribeInstancesResponse xmlns="http://ec2.amazonaws.com/doc/2016-11-15/"><a>1</a></DescribeInstancesResponse>
        "#;
        assert!(!is_cut_xml(whole.as_bytes()));
        let end = whole.trim_end().len();
        let root = whole.find("<Describe").unwrap_or_default();
        for at in root..end {
            assert!(is_cut_xml(&whole.as_bytes()[..at]), "cut at {at}");
        }
        assert!(!is_cut_xml(br#"<?xml version="1.0"?><R/>"#));
        for other in ["", "{}", "no XML", "<html>"] {
            assert!(!is_cut_xml(other.as_bytes()), "{other}");
        }
    }
}
