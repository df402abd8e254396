// The program `tars`: what was asked, then the verb that does it.
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
    Result<cli::Command> command = cli::parse_command_line(arguments);
    const Result<void> done = command ? cli::execute(*command, std::cout, std::cerr)
                                      : Result<void>(std::move(command).error());
    if (done) return 0;
    std::cerr << "tars: " << done.error().message << std::endl;
  } catch (const std::exception& fault) {
    std::cerr << "tars: " << fault.what() << std::endl;
  }
  return 1;
}
