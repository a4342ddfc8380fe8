//! The signals with which a terminal moves its foreground group.
//!
//! A process that hands the terminal to a job and takes it back is in the background when it does the latter, and the
//! kernel answers with SIGTTOU (tcsetpgrp(3)), which stops it unless it is ignored.

/// The signals of a terminal that must not reach whoever keeps a session: Ctrl-C, Ctrl-\, Ctrl-Z, and the two that stop
/// a background process which touches the terminal.
const OF_THE_TERMINAL: [i32; 5] = [libc::SIGINT, libc::SIGQUIT, libc::SIGTSTP, libc::SIGTTIN, libc::SIGTTOU];

/// Ignores the terminal's signals from now on. Programs started later inherit that: start those that must be stoppable
/// first.
pub fn ignore_terminal_signals() {
    for signal in OF_THE_TERMINAL {
        // SAFETY: SIG_IGN is no handler, so nothing runs in signal context; the numbers are valid and may be ignored.
        unsafe { libc::signal(signal, libc::SIG_IGN) };
    }
}
