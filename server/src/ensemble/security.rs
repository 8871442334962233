//! Where a stream between servers is secured before anything is said over it.
//!
//! Plain TCP is all there is: a configuration that asks for more is refused at the start.
//!
//! Java: `QuorumAuthServer`, `QuorumAuthLearner`, `UnifiedServerSocket`.

use std::io;

use tokio::net::TcpStream;

/// Secures a stream that a peer opened; its caller limits the time.
pub(crate) async fn secure_accepted(stream: TcpStream) -> io::Result<TcpStream> {
    Ok(stream)
}

/// Secures a stream that this server opened; its caller limits the time.
pub(crate) async fn secure_dialed(stream: TcpStream) -> io::Result<TcpStream> {
    Ok(stream)
}
