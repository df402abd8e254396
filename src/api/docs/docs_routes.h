// The pages about the API and the documents that they show.
#pragma once

#include <boost/asio/awaitable.hpp>

#include <span>
#include <string>
#include <string_view>

#include "api/docs/asset.h"
#include "api/http/call.h"
#include "api/http/route_table.h"
#include "api/options.h"

namespace tars::api {

// Owns the documents; the pages and what they load are part of the program. Immutable once
// described: any thread. Everything is open, needs nothing from elsewhere, and says so by a
// Content-Security-Policy that lets no other host in and no script that stands in a page.
class DocsRoutes {
 public:
  explicit DocsRoutes(const Options& options);
  void add_to(RouteTable& table);
  // Makes /openapi.json of all `routes`, before the first request. std::logic_error as
  // openapi_document().
  void describe(std::span<const Route> routes);

 private:
  using Answer = boost::asio::awaitable<Result<net::HttpResponse>>;

  struct Document {
    std::string body;
    std::string hash;
  };
  // What one answer is made of; all of it outlives the server.
  struct Content {
    std::string_view media_type;
    std::string_view hash;
    std::string_view cache_control;
    std::string_view policy;  // Content-Security-Policy, or empty
    std::string_view plain;
    std::string_view gzip;  // empty: there is only the plain form
  };

  static Document made(std::string body);
  static net::HttpResponse answer(const net::HttpRequest& request, const Content& content);
  Answer page(Call& call, const Asset& file, std::string_view policy) const;
  Answer document(Call& call, const Document& document) const;
  Answer shared_file(Call& call) const;

  const Options& options_;
  Document openapi_;
  const Document asyncapi_;
  const Document asyncapi_secure_;
};

}  // namespace tars::api
