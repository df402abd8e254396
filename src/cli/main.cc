// The program `tars`: what was asked, then the verb that does it. Exit status: 0 = done, 1 = it
// could not be done, 2 = the command line makes no sense.
#include <exception>
#include <iostream>
#include <string>
#include <vector>

#include "cli/command_line.h"
#include "cli/verbs.h"

int main(int argc, char** argv) {
  using namespace tars;
  try {
    const std::vector<std::string> arguments(argv + 1, argv + argc);
    const Result<cli::Command> command = cli::parse_command_line(arguments);
    if (!command) {
      std::cerr << "tars: " << command.error().message << std::endl;
      return 2;
    }
    const Result<void> done = cli::execute(*command, std::cout, std::cerr);
    if (done) return 0;
    std::cerr << "tars: " << done.error().message << std::endl;
  } catch (const std::exception& fault) {
    std::cerr << "tars: " << fault.what() << std::endl;
  }
  return 1;
}
