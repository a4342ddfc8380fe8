//! The session: a learner types, pastes and is answered.

mod line;
mod mend;
mod notes;
mod scan;
mod shell;
mod verbs;
