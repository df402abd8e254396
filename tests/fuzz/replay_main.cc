// Runs a fuzz target over the files of its seed corpus, so that every preset without libFuzzer, the
// sanitizers' among them, still feeds each parser the inputs that once mattered. Finding no input
// is a failure: an empty corpus would otherwise pass for ever.
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <exception>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <vector>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

namespace {

namespace fs = std::filesystem;

std::vector<std::uint8_t> read_file(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  in.exceptions(std::ios::badbit);
  return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
}

// The input whole, then every short prefix of it: cut messages are what sockets really deliver.
void replay(const std::vector<std::uint8_t>& input) {
  constexpr std::size_t kPrefixes = 256;
  LLVMFuzzerTestOneInput(input.data(), input.size());
  for (std::size_t size = 0; size < input.size() && size < kPrefixes; ++size) {
    const std::vector<std::uint8_t> prefix(input.data(), input.data() + size);
    LLVMFuzzerTestOneInput(prefix.data(), prefix.size());
  }
}

}  // namespace

int main(int argc, char** argv) {
  std::size_t count = 0;
  try {
    for (int i = 1; i < argc; ++i) {
      for (const auto& entry : fs::recursive_directory_iterator(argv[i])) {
        if (!entry.is_regular_file()) continue;
        replay(read_file(entry.path()));
        ++count;
      }
    }
  } catch (const std::exception& e) {
    std::fprintf(stderr, "%s\n", e.what());
    return 1;
  }
  std::printf("%zu inputs replayed\n", count);
  return count == 0 ? 1 : 0;
}
