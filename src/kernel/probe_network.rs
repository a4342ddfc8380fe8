//! The probe's attempts in its new network namespace: a bridge, and a table for address translation. They go with it.

use super::sys::Calls;
use crate::fact::SysError;
use netlink_bindings::{nftables, rt_link};
use netlink_socket2::NetlinkSocket;
use rustix::net::{AddressFamily, SocketFlags, SocketType};

const NAME: &str = "docent-probe";

/// The socket once by itself: a protocol that the kernel lacks (EPROTONOSUPPORT) is told apart from a refusal.
fn speaks(protocol: Option<rustix::net::Protocol>, object: &str) -> Result<(), SysError> {
    rustix::net::socket_with(AddressFamily::NETLINK, SocketType::RAW, SocketFlags::CLOEXEC, protocol)
        .map(drop)
        .map_err(|e| SysError::new("socket", object, e.raw_os_error()))
}

/// Writes a request down with its answer.
fn noted(calls: &mut Calls, message: &str, r: std::io::Result<()>) -> Result<String, SysError> {
    let errno = r.as_ref().err().map_or(0, |e| e.raw_os_error().unwrap_or(libc::EIO));
    calls.note("sendto", message.to_string(), -i64::from(errno));
    r.map(|()| message.to_string()).map_err(|e| SysError::io("sendto", message, &e))
}

/// A device of kind `bridge`.
pub fn bridge(calls: &mut Calls) -> Result<String, SysError> {
    speaks(None, "NETLINK_ROUTE")?;
    let mut socket = NetlinkSocket::new();
    let mut request = rt_link::Request::new().set_create().op_newlink_do(&rt_link::Ifinfomsg::new());
    request.encode().push_ifname_bytes(NAME.as_bytes()).nested_linkinfo().push_kind(c"bridge");
    let answer = socket.request(&request).and_then(|mut reply| Ok(reply.recv_ack()?));
    noted(calls, "RTM_NEWLINK bridge", answer)
}

/// A table with the chain that a masquerade rule hangs on: the module for that can be missing where tables are there.
pub fn nat(calls: &mut Calls) -> Result<String, SysError> {
    speaks(Some(rustix::net::netlink::NETFILTER), "NETLINK_NETFILTER")?;
    let mut socket = NetlinkSocket::new();
    let mut batch_header = nftables::Nfgenmsg::new();
    batch_header.set_res_id(libc::NFNL_SUBSYS_NFTABLES as u16);
    let header = nftables::Nfgenmsg { nfgen_family: libc::AF_INET as u8, ..Default::default() };
    let table = c"docent_probe";
    let mut batch = nftables::Chained::new(socket.reserve_seq(16));
    batch.request().op_batch_begin_do(&batch_header);
    batch.request().set_create().op_newtable_do(&header).encode().push_name(table);
    batch
        .request()
        .set_create()
        .op_newchain_do(&header)
        .encode()
        .push_table(table)
        .push_name(c"postrouting")
        .nested_hook()
        .push_num(libc::NF_INET_POST_ROUTING as u32)
        .push_priority(100)
        .end_nested()
        .push_type(c"nat");
    batch.request().op_batch_end_do(&batch_header);
    let batch = batch.finalize();
    let answer = socket.request_chained(&batch).and_then(|mut reply| Ok(reply.recv_all()?));
    noted(calls, "NFT_MSG_NEWTABLE, NFT_MSG_NEWCHAIN nat", answer)
}
