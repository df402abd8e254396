#include "app/control/control_desk.h"

#include <utility>

namespace tars::app {
namespace {

using Done = std::function<void(Result<ControlAnswer>)>;
using What = ControlRequest::What;

}  // namespace

void ControlDesk::handle(ControlRequest request, Done done) const {
  switch (request.what) {
    case What::status: return done(ControlAnswer{.server = from_.server()});
    case What::issue:
      return from_.tokens.issue(
          std::move(request.enroll), [&tokens = from_.tokens, done](Result<auth::TokenPair> pair) {
            if (!pair) return done(pair.error());
            Result<auth::Claims> claims = tokens.verify_any(pair->access_token);
            if (!claims) return done(claims.error());
            done(ControlAnswer{.pair = IssuedPair{*std::move(pair), std::move(claims->family)}});
          });
    case What::families:
      return from_.tokens.families(
          std::move(request.query), [sockets = from_.sockets, &clock = from_.clock,
                                     done](Result<std::vector<auth::Device>> found) {
            if (!found) return done(found.error());
            ControlAnswer answer;
            for (auth::Device& device : *found) {
              const std::size_t open = sockets(device.client_id, device.family);
              if (open > 0) device.last_seen_at = clock.wall();  // as GET /auth/devices has it
              answer.families.push_back({std::move(device), open});
            }
            done(std::move(answer));
          });
    case What::revoke: {
      // Whoever reaches this desk may read the secret, which is more than any admin may.
      auth::Claims owner;
      owner.admin = true;
      return from_.tokens.revoke_device(
          std::move(owner), request.family, [family = request.family, done](Result<void> revoked) {
            if (revoked) return done(ControlAnswer{});
            if (revoked.error().code != ErrorCode::not_found) return done(revoked.error());
            done(make_error(ErrorCode::not_found,
                            "there is no device " + family + "; see tars devices list"));
          });
    }
  }
}

}  // namespace tars::app
