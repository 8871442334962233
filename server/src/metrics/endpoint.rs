//! `metricsProvider.httpPort`: the metrics over HTTP, for Prometheus to fetch.
//!
//! `GET /metrics`, and `?name[]=` for some of them. It has no secrets and asks for none; what it does not know it
//! refuses. It never changes anything.
//!
//! Invariant: so many connections and no more, and none that says nothing for long.
//!
//! Java: `PrometheusMetricsProvider`.

use std::cell::RefCell;
use std::convert::Infallible;
use std::net::SocketAddr;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use http_body_util::Full;
use hyper::body::{Bytes, Incoming};
use hyper::header::{ALLOW, CONTENT_TYPE};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::TcpListener;
use tokio::sync::Semaphore;
use tokio::task::spawn_local;
use tokio::time::sleep;
use tracing::{debug, info, warn};
use zk_config::config::Metrics;

use super::{Facts, prometheus};
use crate::error::Error;
use crate::shell::Shell;

/// Binds the port, if the configuration has one.
///
/// # Errors
/// It cannot be had.
pub(crate) async fn open(config: &Metrics) -> Result<Option<TcpListener>, Error> {
    let Metrics::Prometheus { address, port, .. } = config else { return Ok(None) };
    let (host, port) = (address.clone(), *port);
    let listener = TcpListener::bind((host.trim_matches(['[', ']']), port))
        .await
        .map_err(|source| Error::BindMetrics { host, port, source })?;
    if let Ok(address) = listener.local_addr() {
        info!("metrics for Prometheus at http://{address}/metrics");
    }
    Ok(Some(listener))
}

/// Answers until the task is ended.
pub(crate) async fn serve(shell: Rc<RefCell<Shell>>, listener: TcpListener) {
    let room = Arc::new(Semaphore::new(CONNECTIONS_MAX));
    loop {
        let Ok(permit) = room.clone().acquire_owned().await else { return };
        match listener.accept().await {
            Ok((stream, remote)) => {
                let shell = shell.clone();
                spawn_local(async move {
                    let answering = service_fn(|request| {
                        let response = answer(&shell, &request, remote);
                        async move { Ok::<_, Infallible>(response) }
                    });
                    let mut http = http1::Builder::new();
                    http.timer(TokioTimer::new()).header_read_timeout(SILENCE_MAX);
                    let served = http.serve_connection(TokioIo::new(stream), answering).await;
                    if let Err(error) = served {
                        debug!("metrics for {remote}: {error}");
                    }
                    drop(permit);
                });
            }
            Err(error) => {
                warn!("cannot take a connection for metrics: {error}");
                sleep(PAUSE).await;
            }
        }
    }
}

fn answer(
    shell: &Rc<RefCell<Shell>>,
    request: &Request<Incoming>,
    remote: SocketAddr,
) -> Response<Full<Bytes>> {
    let refused = |status: StatusCode| {
        debug!("{} {} of {remote}: {status}", request.method(), request.uri());
        let mut response = Response::new(Full::default());
        *response.status_mut() = status;
        response
    };
    if request.uri().path() != "/metrics" {
        return refused(StatusCode::NOT_FOUND);
    }
    if !matches!(*request.method(), Method::GET | Method::HEAD) {
        let mut response = refused(StatusCode::METHOD_NOT_ALLOWED);
        response.headers_mut().insert(ALLOW, "GET, HEAD".parse().expect("a header's value"));
        return response;
    }
    let query = form_urlencoded::parse(request.uri().query().unwrap_or_default().as_bytes());
    let names: Vec<String> =
        query.filter(|(key, _)| key == "name[]").map(|(_, name)| name.into_owned()).collect();
    let text = {
        let mut shell = shell.borrow_mut();
        let now = shell.clock.now();
        shell.peer.tally();
        prometheus::text(&Facts::of(&shell, now), &names)
    };
    let mut response = Response::new(Full::from(text));
    let kind = prometheus::CONTENT_TYPE.parse().expect("a header's value");
    response.headers_mut().insert(CONTENT_TYPE, kind);
    response
}

const CONNECTIONS_MAX: usize = 32;
/// How long a connection may take to say what it wants.
const SILENCE_MAX: Duration = Duration::from_secs(30);
/// After an attempt that failed, of which others may follow at once.
const PAUSE: Duration = Duration::from_millis(100);
