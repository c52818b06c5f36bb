//! Tests the server over real sockets.

use super::*;
use std::fs;

/// A temporary folder with a page, and a secret next to it.
fn site(name: &str) -> PathBuf {
    let dir = std::env::temp_dir().join(format!("quipu-serve-{}-{name}", std::process::id()));
    fs::create_dir_all(dir.join("site/deep")).expect("a folder in the temporary folder");
    fs::write(dir.join("site/index.html"), "<p>home</p>").expect("written");
    fs::write(dir.join("site/deep/a b.wasm"), b"\0asm").expect("written");
    fs::write(dir.join("secret.txt"), "secret").expect("written");
    dir
}

fn ask(address: SocketAddr, request: &str) -> String {
    let mut stream = TcpStream::connect(address).expect("the server listens");
    stream.write_all(request.as_bytes()).expect("sent");
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).expect("answered");
    String::from_utf8_lossy(&answer).into_owned()
}

fn get(address: SocketAddr, path: &str) -> String {
    ask(address, &format!("GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n"))
}

#[test]
fn files_are_served_with_their_type_below_the_prefix() {
    let dir = site("types");
    let address = spawn(static_files(dir.join("site"), "/some/deep/")).expect("a free port");
    let home = get(address, "/some/deep/?v=1");
    assert!(home.starts_with("HTTP/1.1 200 OK\r\nContent-Length: 11\r\n"), "{home}");
    assert!(home.contains("Content-Type: text/html; charset=utf-8\r\n") && home.ends_with("\r\n\r\n<p>home</p>"), "{home}");
    let wasm = get(address, "/some/deep/deep/a%20b.wasm");
    assert!(wasm.contains("Content-Type: application/wasm\r\n") && wasm.ends_with("\0asm"), "{wasm}");
    assert!(get(address, "/").starts_with("HTTP/1.1 404 "));
    assert!(get(address, "/some/deep/none.js").starts_with("HTTP/1.1 404 "));
    fs::remove_dir_all(dir).expect("removed");
}

#[test]
fn head_sends_no_body_and_other_methods_are_refused() {
    let dir = site("methods");
    let address = spawn(static_files(dir.join("site"), "/")).expect("a free port");
    let head = ask(address, "HEAD / HTTP/1.1\r\n\r\n");
    assert!(head.contains("Content-Length: 11\r\n") && head.ends_with("\r\n\r\n"), "{head}");
    assert!(ask(address, "POST / HTTP/1.1\r\n\r\n").starts_with("HTTP/1.1 405 "));
    assert!(ask(address, "hello\r\n\r\n").starts_with("HTTP/1.1 400 "));
    fs::remove_dir_all(dir).expect("removed");
}

#[test]
fn nothing_outside_the_folder_is_served() {
    let dir = site("outside");
    let address = spawn(static_files(dir.join("site"), "/")).expect("a free port");
    for path in [
        "/../secret.txt",
        "/%2e%2e/secret.txt",
        "/deep/../../secret.txt",
        "/..%2fsecret.txt",
        "//etc/passwd",
        "/%00",
        "/..%5csecret.txt",
    ] {
        let answer = get(address, path);
        assert!(answer.starts_with("HTTP/1.1 404 ") || answer.starts_with("HTTP/1.1 400 "), "{path}: {answer}");
        assert!(!answer.ends_with("secret"), "{path}: {answer}");
    }
    #[cfg(unix)]
    {
        std::os::unix::fs::symlink(dir.join("secret.txt"), dir.join("site/link.txt")).expect("linked");
        assert!(get(address, "/link.txt").starts_with("HTTP/1.1 404 "));
    }
    fs::remove_dir_all(dir).expect("removed");
}

#[test]
fn a_taken_port_is_named_with_the_way_out() {
    let taken = listen(0).expect("a free port");
    let port = taken.local_addr().expect("an address").port();
    let error = listen(port).expect_err("taken").to_string();
    assert!(error.contains(&format!("Port {port} of 127.0.0.1 is taken")) && error.contains("--port"), "{error}");
}
