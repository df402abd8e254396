// What this process asks of the system before it starts any thread.
#pragma once

namespace tars::app {

// Raises the soft limit of open descriptors to the hard one (the usual 1,024 are fewer than
// connections are allowed), ignores SIGPIPE (a broken connection is an error value), SIGHUP, and
// SIGUSR1 until there is a log file to open anew, and bounds malloc's arenas: each thread with an
// arena of its own costs resident memory that an idle server does not need. Called once, first
// thing.
void prepare_process();

// The kernel drops every signal that process 1, a container's, has no handler for. There SIGTERM
// and SIGINT end it at once with 128 + their number, as their default would elsewhere. Called
// before anything that lasts, and where another handler has gone.
void end_by_signals_as_init();

}  // namespace tars::app
