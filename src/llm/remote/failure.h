// What a failed try to get an answer means: for the client, for the host, and for the next try.
#pragma once

#include <chrono>
#include <string>
#include <string_view>

#include "base/error.h"
#include "net/client/endpoint.h"
#include "net/client/exchange.h"

namespace tars::llm {

struct Failure {
  Error error;
  bool host_is_down = false;      // leave it out until a check finds it well
  bool host_did_badly = true;     // ask others first for a while; false: it was the request
  bool others_may_answer = true;  // another host may do better
  bool timed_out = false;
  bool is_our_want = false;  // of descriptors or memory: it says nothing about the host
  std::chrono::seconds rest{0};  // for which the host asked to be left alone
};

// Before the first token: the exchange itself failed.
Failure transport_failure(const Error& error, const net::Endpoint& host);
// It answered neither a request nor a check.
Failure silent(const net::Endpoint& host);
// The server answered with something else than 200. `body` is the beginning of its answer.
Failure refusal(const net::ResponseHead& head, std::string_view body, const net::Endpoint& host,
                const std::string& model);
// What it answered with 200 was an error instead, or became one.
Failure said_in_stream(Error error);
// Which of two failures of different hosts tells the client more.
const Error& more_telling(const Error& a, const Error& b);
// After the head of an answer, or its first token: what came of it stands as it is.
Error broken_off(const Failure& failure);
// With the host in front, unless it is named.
std::string naming(const net::Endpoint& host, std::string message);
// Servers repeat the key that they refuse; it is for nobody to read. Keys of less than 8 characters
// are no secret and stand in too many words. A text may have been cut in the middle of the key.
std::string without_secret(std::string text, std::string_view secret);

}  // namespace tars::llm
