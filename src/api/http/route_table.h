// The one list of what can be asked over HTTP: it routes, and /openapi.json is made from it.
#pragma once

#include <boost/asio/awaitable.hpp>

#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "api/http/call.h"
#include "api/http/route_docs.h"
#include "base/error.h"
#include "net/http.h"

namespace tars::api {

enum class Access {
  open,      // no token looked at
  optional,  // none is fine, a bad one is 401
  examined,  // the handler looks at it: none is 401, a bad one is an answer
  bearer,    // a good access token, else 401
};

// Runs on the I/O thread of its connection, at once with other calls of the same route, and must
// not block. An Error becomes a problem document by error_table.h; an exception is logged and a
// 500.
using Handler = std::function<boost::asio::awaitable<Result<net::HttpResponse>>(Call&)>;

struct Route {
  std::string method;  // in capitals; HEAD comes with GET, and OPTIONS with any
  std::string path;    // may end in one {name}, which is one segment
  Access access;
  std::string summary;  // a few words, for the pages; a test wants one
  Handler handler;
  RouteDocs docs = {};
};

// Owns the routes. Filled once, then read by any thread.
class RouteTable {
 public:
  void add(Route route) { routes_.push_back(std::move(route)); }
  std::span<const Route> routes() const { return routes_; }

  struct Match {
    const Route* route = nullptr;
    std::string parameter;
    std::string
        allow;  // for 405: the methods of that path, with HEAD and OPTIONS; empty: no such path
  };
  // HEAD goes where GET does.
  Match match(std::string_view method, std::string_view path) const;

 private:
  std::vector<Route> routes_;
};

}  // namespace tars::api
