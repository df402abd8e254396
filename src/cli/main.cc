// The program `tars`: what was asked, then the verb that does it. Exit status: 0 = done, 1 = it
// was not, and a line says why, whether it stands on the command line, in a file or in the world.
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <exception>
#include <iostream>
#include <optional>
#include <string>
#include <system_error>
#include <vector>

#include "app/process_limits.h"
#include "cli/answer_stream.h"
#include "cli/command_line.h"
#include "cli/verbs.h"

namespace {

int fail(const std::string& message) {
  std::cerr << "tars: " << message << std::endl;
  return 1;
}

// The server's lines are no answer: it goes on without a reader.
int say_whether_it_arrived(const tars::cli::Command& command, int error) {
  if (error == 0 || command.verb == tars::cli::Verb::serve) return 0;
  if (error == EPIPE) return 1;  // the reader has read what it wanted
  std::string text = "standard output cannot be written (" +
                     std::generic_category().message(error) + "): send it elsewhere";
  if (command.verb == tars::cli::Verb::token) {
    text += "; the new tokens are lost: end them with tars devices list and revoke";
  }
  return fail(text);
}

}  // namespace

int main(int argc, char** argv) {
  using namespace tars;
  app::end_by_signals_as_init();
  try {
    if (!cli::occupy_closed_streams()) return fail("/dev/null cannot be opened");
    const std::vector<std::string> arguments(argv + 1, argv + argc);
    const Result<cli::Command> command = cli::parse_command_line(arguments);
    if (!command) return fail(command.error().message);
    std::optional<std::chrono::milliseconds> patience;
    if (command->verb == cli::Verb::serve) patience = std::chrono::seconds(1);
    cli::AnswerStream out(STDOUT_FILENO, patience);
    const Result<void> done = cli::execute(*command, out, std::cerr);
    const int error = out.finish();
    return done ? say_whether_it_arrived(*command, error) : fail(done.error().message);
  } catch (const std::exception& fault) {
    return fail(fault.what());
  }
}
