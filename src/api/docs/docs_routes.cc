#include "api/docs/docs_routes.h"

#include "api/docs/asyncapi.h"
#include "api/docs/openapi.h"
#include "base/sha256.h"
#include "net/message/content_coding.h"

namespace tars::api {
namespace {

// Browsers ask again each time, and get 304 while nothing has changed.
constexpr std::string_view kRevalidated = "no-cache";
// The content's hash is part of the name.
constexpr std::string_view kForever = "public, max-age=31536000, immutable";

constexpr std::string_view kPolicy =
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
// ReDoc 2.5.4 besides fills style elements that it adds empty (the first hash is that of nothing),
// adds one of its own (the second), and searches in a worker that it makes.
constexpr std::string_view kRedocPolicy =
    "default-src 'none'; script-src 'self'; "
    "style-src 'self' 'sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=' "
    "'sha256-QMIg+bpjm3JdElJ388KYke01izlUW0UoNOeKjpMxdgc='; img-src 'self' data:; "
    "connect-src 'self'; worker-src blob:; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'";

// One answer for each media type, and the one without a body.
RouteDocs docs(std::string_view description, std::string_view schema,
               std::initializer_list<std::string_view> media_types) {
  RouteDocs out{.tag = "documentation", .parameters = {"if_none_match"}};
  for (const std::string_view type : media_types) {
    out.answers.push_back({200, description, schema, type, {"ETag", "Cache-Control"}});
  }
  out.answers.push_back({304, "The caller holds this version", {}, {}, {"ETag", "Cache-Control"}});
  return out;
}

RouteDocs page_docs() { return docs("The page", "Page", {"text/html"}); }

// If-None-Match (RFC 9110 section 13.1.2): our tags are quoted and hold no quote, so one that is
// found in the list is an entry of it.
bool holds(const net::HttpRequest& request, std::string_view etag) {
  const std::string_view held = request.header("If-None-Match").value_or("");
  return held == "*" || held.find(etag) != held.npos;
}

}  // namespace

DocsRoutes::DocsRoutes(const Options& options)
    : options_(options),
      asyncapi_(made(asyncapi_document(options, false))),
      asyncapi_secure_(made(asyncapi_document(options, true))) {}

void DocsRoutes::add_to(RouteTable& table) {
  table.add({"GET", "/docs", Access::open, "The HTTP API, to read and to try out (Swagger UI)",
             [this](Call& call) { return page(call, asset("docs.html"), kPolicy); }, page_docs()});
  table.add({"GET", "/redoc", Access::open, "The HTTP API, to read (ReDoc)",
             [this](Call& call) { return page(call, asset("redoc.html"), kRedocPolicy); },
             page_docs()});
  table.add({"GET", "/asyncapi", Access::open, "The WebSocket's messages, to read",
             [this](Call& call) { return page(call, asset("asyncapi.html"), kPolicy); },
             page_docs()});
  table.add({"GET", "/openapi.json", Access::open, "The HTTP API, as OpenAPI 3.1",
             [this](Call& call) { return document(call, openapi_); },
             docs("The document", "Document", {"application/json"})});
  table.add({"GET", "/asyncapi.json", Access::open, "The WebSocket's messages, as AsyncAPI 3.0",
             [this](Call& call) {
               return document(call, call.request.secure ? asyncapi_secure_ : asyncapi_);
             },
             docs("The document", "Document", {"application/json"})});
  RouteDocs files =
      docs("The file", "File", {"text/javascript", "text/css", "image/svg+xml", "text/plain"});
  files.parameters.emplace_back("file");
  files.errors = {ErrorCode::not_found};
  table.add({"GET", "/assets/{file}", Access::open, "What the pages load",
             [this](Call& call) { return shared_file(call); }, std::move(files)});
}

void DocsRoutes::describe(std::span<const Route> routes) {
  openapi_ = made(openapi_document(routes, options_.version));
}

DocsRoutes::Document DocsRoutes::made(std::string body) {
  std::string hash = sha256_hex(body).substr(0, 16);
  return {std::move(body), std::move(hash)};
}

net::HttpResponse DocsRoutes::answer(const net::HttpRequest& request, const Content& content) {
  const bool packed = !content.gzip.empty() &&
                      net::accepts_coding(request.header("Accept-Encoding").value_or(""), "gzip");
  // Each form has a tag of its own (RFC 9110 section 8.8.3.3).
  const std::string etag = "\"" + std::string(content.hash) + (packed ? "-gzip\"" : "\"");
  net::HttpResponse response;
  response.headers = {{"ETag", etag}, {"Cache-Control", std::string(content.cache_control)}};
  if (!content.gzip.empty()) response.headers.emplace_back("Vary", "Accept-Encoding");
  if (!content.policy.empty()) {
    response.headers.emplace_back("Content-Security-Policy", std::string(content.policy));
  }
  if (holds(request, etag)) {
    response.status = 304;
    return response;
  }
  response.headers.emplace_back("Content-Type", std::string(content.media_type));
  if (packed) response.headers.emplace_back("Content-Encoding", "gzip");
  response.constant_body = packed ? content.gzip : content.plain;
  return response;
}

DocsRoutes::Answer DocsRoutes::page(Call& call, const Asset& file, std::string_view policy) const {
  co_return answer(call.request, {file.media_type, file.hash, kRevalidated, policy,
                                  file.plain.bytes(), file.gzip.bytes()});
}

DocsRoutes::Answer DocsRoutes::document(Call& call, const Document& document) const {
  co_return answer(call.request,
                   {"application/json", document.hash, kRevalidated, {}, document.body, {}});
}

DocsRoutes::Answer DocsRoutes::shared_file(Call& call) const {
  const Asset* file = find_asset(call.parameter);
  if (file == nullptr || !file->shared) {
    co_return make_error(ErrorCode::not_found,
                         "There is no such file; the pages name those there are");
  }
  co_return answer(
      call.request,
      {file->media_type, file->hash, kForever, {}, file->plain.bytes(), file->gzip.bytes()});
}

}  // namespace tars::api
