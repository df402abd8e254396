#include "chat/run_follower.h"

#include <utility>

namespace tars::chat {

void stop_run(const std::shared_ptr<LiveRun>& run, Mailbox& mailbox, const Clock& clock) {
  if (!run->stop(clock)) return;
  mailbox.ended(run);
  run->run->wake();
}

RunFollower::RunFollower(std::shared_ptr<LiveRun> live, std::shared_ptr<Mailbox> mailbox,
                         const Clock& clock, std::chrono::seconds grace, std::function<void()> wake)
    : live_(std::move(live)),
      mailbox_(std::move(mailbox)),
      clock_(clock),
      grace_(grace),
      id_(live_->run->follow(std::move(wake))) {
  live_->adopt();
}

RunFollower::~RunFollower() { leave(Leave::lost); }

void RunFollower::leave(Leave how) {
  if (id_ == 0) return;
  const std::size_t left = live_->run->unfollow(std::exchange(id_, 0));
  if (how == Leave::revoked) return stop_run(live_, *mailbox_, clock_);
  if (left > 0 || live_->request.finish_on_disconnect || live_->run->outcome()) return;
  if (how == Leave::closed) return stop_run(live_, *mailbox_, clock_);
  live_->abandon(clock_.steady() + grace_);
  mailbox_->nudge();
}

}  // namespace tars::chat
