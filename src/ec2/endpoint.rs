//! Where EC2 and STS are asked, for opening a connection ahead.

use aws_sdk_ec2::config::endpoint::{DefaultResolver, Params, ResolveEndpoint};
use aws_sdk_sts::config::endpoint as sts;
use aws_sdk_sts::config::endpoint::ResolveEndpoint as _;

use crate::values::region::Region;

/// What AWS's endpoints answer anybody, without a signature.
const PING: &str = "ping";

/// A request that costs nothing and leaves an open connection to the region's endpoint, or to the one that the environment names.
pub(crate) async fn ping(
    region: &Region,
    environment: impl Fn(&str) -> Option<String>,
) -> Option<http::Uri> {
    let named = environment("AWS_ENDPOINT_URL_EC2").or_else(|| environment("AWS_ENDPOINT_URL"));
    let base = match named {
        Some(named) => named,
        None => of(region).await?,
    };
    below(&base)
}

/// The same for the region's STS, which gives a role's credentials.
pub(crate) async fn ping_sts(
    region: &Region,
    environment: impl Fn(&str) -> Option<String>,
) -> Option<http::Uri> {
    let named = environment("AWS_ENDPOINT_URL_STS").or_else(|| environment("AWS_ENDPOINT_URL"));
    let base = match named {
        Some(named) => named,
        None => of_sts(region).await?,
    };
    below(&base)
}

fn below(base: &str) -> Option<http::Uri> {
    format!("{}/{PING}", base.trim_end_matches('/'))
        .parse()
        .ok()
}

async fn of(region: &Region) -> Option<String> {
    let params = Params::builder().region(region.as_str()).build().ok()?;
    let endpoint = DefaultResolver::new()
        .resolve_endpoint(&params)
        .await
        .ok()?;
    Some(endpoint.url().to_owned())
}

async fn of_sts(region: &Region) -> Option<String> {
    let builder = sts::Params::builder().region(region.as_str());
    let params = builder.build().ok()?;
    let endpoint = sts::DefaultResolver::new()
        .resolve_endpoint(&params)
        .await
        .ok()?;
    Some(endpoint.url().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_region_s_own_or_the_one_that_is_named() {
        let china = "cn-north-1".parse().expect("a region");
        let asked = ping(&china, |_| None).await.map(|uri| uri.to_string());
        let expected = "https://ec2.cn-north-1.amazonaws.com.cn/ping";
        assert_eq!(asked.as_deref(), Some(expected));
        let named =
            |name: &str| (name == "AWS_ENDPOINT_URL_EC2").then(|| "http://127.0.0.1:9/".to_owned());
        let asked = ping(&china, named).await.map(|uri| uri.to_string());
        assert_eq!(asked.as_deref(), Some("http://127.0.0.1:9/ping"));
        let asked = ping_sts(&china, |_| None).await.map(|uri| uri.to_string());
        let expected = "https://sts.cn-north-1.amazonaws.com.cn/ping";
        assert_eq!(asked.as_deref(), Some(expected));
    }
}
