// Does what the verbs ask, in the process that holds the data folder.
#pragma once

#include <functional>
#include <string>

#include "app/control/control_message.h"
#include "auth/token_service.h"
#include "base/clock.h"
#include "base/error.h"

namespace tars::app {

// Stateless but for what it borrows; any thread may call. The same desk serves a running server's
// control socket and a verb that holds the folder itself.
class ControlDesk {
 public:
  struct Sources {
    auth::TokenService& tokens;
    const Clock& clock;
    // Open sockets of a client's family.
    std::function<std::size_t(const std::string& client_id, const std::string& family)> sockets;
    std::function<RunningServer()> server;
  };
  explicit ControlDesk(Sources sources) : from_(std::move(sources)) {}

  // `done` is called once, from the token service's thread or from inside.
  void handle(ControlRequest request, std::function<void(Result<ControlAnswer>)> done) const;

 private:
  const Sources from_;
};

}  // namespace tars::app
