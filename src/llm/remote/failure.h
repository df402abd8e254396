// What a failed try to get an answer means: for the client, for the host, and for the next try.
#pragma once

#include <string>

#include "base/error.h"
#include "net/client/endpoint.h"
#include "net/client/exchange.h"

namespace tars::llm {

struct Failure {
  Error error;
  bool host_is_down = false;      // leave it out until a check finds it well
  bool others_may_answer = true;  // another host may do better
  bool same_may_answer = false;   // the same host may do better at once: the connection broke
};

// Before the first token: the exchange itself failed.
Failure transport_failure(const Error& error, const net::Endpoint& host);
// The server answered with something else than 200. `body` is the beginning of its answer.
Failure refusal(const net::ResponseHead& head, std::string_view body, const net::Endpoint& host,
                const std::string& model);
// Which of two failures of different hosts tells the client more.
const Error& more_telling(const Error& a, const Error& b);
// After the first token: the answer stands as it is.
Error broken_off(const Error& error);

}  // namespace tars::llm
