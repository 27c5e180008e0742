//! Answers that come in pages.

use super::Ec2Error;

/// A page's items, and the token that asks for the next page.
type Page<T> = (Vec<T>, Option<String>);

/// What is on all pages, each asked for with the token of the one before. A token that came before would go round in circles
/// without an end.
pub(super) async fn all_pages<T, Asking>(
    action: &'static str,
    ask: impl Fn(Option<String>) -> Asking,
) -> Result<Vec<T>, Ec2Error>
where
    Asking: Future<Output = Result<Page<T>, Ec2Error>>,
{
    let (mut all, mut tokens) = (Vec::new(), Vec::new());
    loop {
        let (items, next) = ask(tokens.last().cloned()).await?;
        all.extend(items);
        match next.filter(|token| !token.is_empty()) {
            None => return Ok(all),
            Some(token) if tokens.contains(&token) => {
                return Err(Ec2Error::unreadable(action, "its pages have no end"));
            }
            Some(token) => tokens.push(token),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Of pages whose answers have these tokens: what was asked for, or why not.
    async fn asked(tokens: &[Option<&str>]) -> Result<Vec<Option<String>>, String> {
        let left = std::sync::Mutex::new(tokens.iter());
        let ask = |token: Option<String>| {
            let mut left = left
                .lock()
                .unwrap_or_else(std::sync::PoisonError::into_inner);
            let next = left.next().map(|next| next.map(str::to_owned));
            async move {
                let next = next.ok_or_else(|| Ec2Error::coded("ec2:DescribeInstances", "Gone"))?;
                Ok((vec![token], next))
            }
        };
        let all = all_pages("ec2:DescribeInstances", ask).await;
        all.map_err(|error| error.to_string())
    }

    #[tokio::test]
    async fn each_page_is_asked_for_by_the_one_before() {
        assert_eq!(asked(&[None]).await, Ok(vec![None]));
        let all = Ok(vec![None, Some("a".to_owned()), Some("b".to_owned())]);
        assert_eq!(asked(&[Some("a"), Some("b"), None]).await, all);
        assert_eq!(asked(&[Some("a"), Some("b"), Some("")]).await, all);
    }

    #[tokio::test]
    async fn pages_in_a_circle_are_refused() {
        for circle in [
            &[Some("a"), Some("a")][..],
            &[Some("a"), Some("b"), Some("a")],
        ] {
            let refused = asked(circle).await;
            assert!(
                refused.is_err_and(|why| why.contains("no end")),
                "{circle:?}"
            );
        }
    }

    #[tokio::test]
    async fn a_page_that_fails_fails_all() {
        let failed = asked(&[Some("a")]).await;
        assert!(failed.is_err_and(|why| why.contains("Gone")));
    }
}
