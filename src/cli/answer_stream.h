// Standard output, of which it is known whether what was written has arrived.
#pragma once

#include <chrono>
#include <optional>
#include <ostream>
#include <streambuf>
#include <string>

namespace tars::cli {

// Keeps what is written until the next flush, as much as a verb prints between two of them. For one
// thread at a time. Never throws for a write that fails: the stream goes bad, and error() says why.
class AnswerStream : public std::ostream {
 public:
  // `descriptor` stays the caller's. With `patience`, what cannot be written for so long is lost,
  // and all that follows: for a server, whose lines nobody may read.
  explicit AnswerStream(int descriptor,
                        std::optional<std::chrono::milliseconds> patience = std::nullopt);

  // The errno of the first write that failed, after a flush; 0 = all of it is out.
  int finish();

 private:
  class Buffer : public std::streambuf {
   public:
    Buffer(int descriptor, std::optional<std::chrono::milliseconds> patience)
        : descriptor_(descriptor), patience_(patience) {}
    int error() const { return error_; }

   protected:
    int_type overflow(int_type c) override;
    std::streamsize xsputn(const char* text, std::streamsize size) override;
    int sync() override;

   private:
    bool takes_more() const;

    int descriptor_;
    std::optional<std::chrono::milliseconds> patience_;
    int error_ = 0;
    std::string pending_;
  };

  Buffer buffer_;
};

// Puts /dev/null where standard input, output or error is closed: the next file that is opened, a
// secret perhaps, would take its number and receive what is printed. What is printed to a closed
// output still fails. For the start of main(). False with errno set when that cannot be done.
bool occupy_closed_streams();

}  // namespace tars::cli
