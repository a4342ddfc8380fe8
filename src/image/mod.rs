//! What an image is: names, documents, layers as tar streams, and images made from this machine.
//!
//! Nothing here knows where the store lies: documents are bytes, a layer is a stream and a directory.

pub mod apply;
pub mod archive;
pub mod digest;
pub mod host;
pub mod model;
pub mod reference;
pub mod tarball;

pub use digest::{BlobDigest, ChainId, DiffId, ImageId};
pub use model::Image;
pub use reference::Reference;
