// The program `tars`: what was asked, then the verb that does it. Exit status: 0 = done, 1 = it
// was not, and a line says why, whether it stands on the command line, in a file or in the world.
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
      return 1;
    }
    const Result<void> done = cli::execute(*command, std::cout, std::cerr);
    if (done) return 0;
    std::cerr << "tars: " << done.error().message << std::endl;
  } catch (const std::exception& fault) {
    std::cerr << "tars: " << fault.what() << std::endl;
  }
  return 1;
}
