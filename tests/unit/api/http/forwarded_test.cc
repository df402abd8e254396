#include "api/http/forwarded.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace tars::api {
namespace {

std::vector<std::string> clients(std::string_view value) {
  std::vector<std::string> out;
  const auto hops = parse_forwarded(value);
  if (!hops) return {"(bad)"};
  for (const auto& hop : *hops) out.push_back(hop.client);
  return out;
}

// The examples of RFC 7239 section 4.
TEST(ParseForwarded, TheExamplesOfItsStandard) {
  using List = std::vector<std::string>;
  EXPECT_EQ(clients("for=\"_gazonk\""), List{"_gazonk"});
  EXPECT_EQ(clients("For=\"[2001:db8:cafe::17]:4711\""), List{"[2001:db8:cafe::17]:4711"});
  EXPECT_EQ(clients("for=192.0.2.43, for=198.51.100.17"), (List{"192.0.2.43", "198.51.100.17"}));
  const auto hops = parse_forwarded("for=192.0.2.60;proto=http;by=203.0.113.43;host=a.example");
  ASSERT_TRUE(hops);
  EXPECT_EQ(hops->at(0).proto, "http");
  EXPECT_EQ(hops->at(0).host, "a.example");
}

TEST(ParseForwarded, QuotedStringsHoldSeparators) {
  EXPECT_EQ(clients(R"(for="a,b;c\"d")"), std::vector<std::string>{R"(a,b;c"d)"});
}

TEST(ParseForwarded, BrokenGrammarIsNoAnswer) {
  for (const char* bad : {"for", "for=", "for=\"x", "for=\"x\\", "for=a b", "=a", "for=a,,=b"}) {
    EXPECT_FALSE(parse_forwarded(bad)) << bad;
  }
  EXPECT_FALSE(parse_forwarded(std::string(200, ',')));
}

TEST(ParseForwarded, EmptyElementsAreNone) {
  using List = std::vector<std::string>;
  EXPECT_EQ(clients("for=1.2.3.4,"), List{"1.2.3.4"});
  EXPECT_EQ(clients(", for=1.2.3.4, ,;, for=b"), (List{"1.2.3.4", "b"}));
  EXPECT_EQ(clients(""), List{});
  EXPECT_EQ(clients("proto=https, for=b"), (List{"", "b"})) << "it says something";
}

TEST(ParseNode, WithAndWithoutAPort) {
  for (const char* node : {"192.0.2.1", "192.0.2.1:80"}) {
    EXPECT_EQ(parse_node(node).value().to_string(), "192.0.2.1") << node;
  }
  for (const char* node : {"2001:db8::1", "[2001:db8::1]", "[2001:db8::1]:80"}) {
    EXPECT_EQ(parse_node(node).value().to_string(), "2001:db8::1") << node;
  }
  for (const char* bad : {"", "unknown", "_x", "[", "[]", "1.2.3", "[::1", "a:80"}) {
    EXPECT_FALSE(parse_node(bad)) << bad;
  }
}

TEST(TrustedProxies, HoldsAddressesAndNetworksOfBothFamilies) {
  const TrustedProxies proxies({"10.0.0.0/8", "192.0.2.7", "fd00::/8", "::1", "no address"});
  for (const char* inside : {"10.255.0.1", "192.0.2.7", "fdff::1", "::1", "::ffff:10.1.1.1"}) {
    EXPECT_TRUE(proxies.contains(parse_node(inside).value())) << inside;
  }
  for (const char* outside : {"11.0.0.1", "192.0.2.8", "fe80::1", "::2", "::ffff:11.0.0.1"}) {
    EXPECT_FALSE(proxies.contains(parse_node(outside).value())) << outside;
  }
}

net::HttpRequest request(std::string peer, net::Headers headers) {
  net::HttpRequest out;
  out.remote_address = std::move(peer);
  out.headers = std::move(headers);
  TrustedProxies({"10.0.0.0/8"}).apply(out);
  return out;
}

TEST(TrustedProxies, AStrangersHeadersAreNotTaken) {
  const auto out = request("192.0.2.1", {{"Host", "h"},
                                         {"X-Forwarded-For", "1.1.1.1"},
                                         {"X-Forwarded-Proto", "https"},
                                         {"X-Forwarded-Host", "evil"}});
  EXPECT_EQ(out.remote_address, "192.0.2.1");
  EXPECT_FALSE(out.secure);
  EXPECT_EQ(out.header("Host"), "h");
}

TEST(TrustedProxies, AProxysAreTaken) {
  const auto out = request("10.0.0.1", {{"Host", "inner"},
                                        {"x-forwarded-for", "192.0.2.9"},
                                        {"x-forwarded-proto", "https"},
                                        {"x-forwarded-host", "outer.example"}});
  EXPECT_EQ(out.remote_address, "192.0.2.9");
  EXPECT_TRUE(out.secure);
  EXPECT_EQ(out.header("Host"), "outer.example");
}

TEST(TrustedProxies, EmptyElementsAreNone) {
  for (const auto& [name, value] : {std::pair{"X-Forwarded-For", "192.0.2.9, , 10.0.0.2,"},
                                    {"Forwarded", "for=192.0.2.9, , for=10.0.0.2,"}}) {
    EXPECT_EQ(request("10.0.0.1", {{name, value}}).remote_address, "192.0.2.9") << name;
  }
}

TEST(TrustedProxies, SchemeAndHostCountWithoutAnAddress) {
  const auto out = request("10.0.0.1", {{"Host", "inner"}, {"X-Forwarded-Proto", "https"}});
  EXPECT_EQ(out.remote_address, "10.0.0.1");
  EXPECT_TRUE(out.secure);
  const auto standard =
      request("10.0.0.1", {{"X-Forwarded-Proto", "http"}, {"Forwarded", "proto=https"}});
  EXPECT_TRUE(standard.secure) << "of two families one counts";
}

TEST(TrustedProxies, AWebSocketsSchemeIsAScheme) {
  for (const auto& [proto, secure] : {std::pair{"wss", true},
                                      {"WSS", true},
                                      {"HTTPS", true},
                                      {"ws", false},
                                      {"http", false},
                                      {"https2", false}}) {
    EXPECT_EQ(request("10.0.0.1", {{"X-Forwarded-Proto", proto}}).secure, secure) << proto;
  }
  EXPECT_TRUE(request("10.0.0.1", {{"Forwarded", "for=192.0.2.9;proto=wss"}}).secure);
}

TEST(TrustedProxies, TheNearestUntrustedHopIsTheClient) {
  EXPECT_EQ(
      request("10.0.0.1", {{"X-Forwarded-For", "6.6.6.6, 192.0.2.9, 10.0.0.2"}}).remote_address,
      "192.0.2.9");
  EXPECT_EQ(request("10.0.0.1", {{"X-Forwarded-For", "6.6.6.6"}, {"X-Forwarded-For", "192.0.2.9"}})
                .remote_address,
            "192.0.2.9");
  EXPECT_EQ(request("10.0.0.1", {{"Forwarded", "for=6.6.6.6, for=\"192.0.2.9:1\";proto=https"}})
                .remote_address,
            "192.0.2.9");
}

TEST(TrustedProxies, SchemeAndHostAreThoseOfTheClientsHop) {
  for (const net::Headers& headers : std::vector<net::Headers>{
           {{"Host", "h"},
            {"Forwarded",
             "for=1.2.3.4;proto=https;host=chat.example, for=10.0.0.9;proto=http;host=inner"}},
           {{"Host", "h"},
            {"X-Forwarded-For", "1.2.3.4, 10.0.0.9"},
            {"X-Forwarded-Proto", "https, http"},
            {"X-Forwarded-Host", "chat.example, inner"}}}) {
    const auto out = request("10.0.0.1", headers);
    EXPECT_EQ(out.remote_address, "1.2.3.4");
    EXPECT_TRUE(out.secure);
    EXPECT_EQ(out.header("Host"), "chat.example");
  }
  // A stranger in front of the client's hop says nothing that counts.
  const auto out =
      request("10.0.0.1",
              {{"Host", "h"},
               {"Forwarded",
                "for=6.6.6.6;proto=https;host=evil, for=1.2.3.4;proto=http;host=chat.example"}});
  EXPECT_FALSE(out.secure);
  EXPECT_EQ(out.header("Host"), "chat.example");
}

TEST(TrustedProxies, WhatIsNoAddressEndsTheChain) {
  EXPECT_EQ(request("10.0.0.1", {{"X-Forwarded-For", "192.0.2.9, unknown"}}).remote_address,
            "10.0.0.1");
  EXPECT_EQ(request("10.0.0.1", {{"Forwarded", "for=\"broken"}}).remote_address, "10.0.0.1");
  EXPECT_EQ(request("10.0.0.1", {}).remote_address, "10.0.0.1");
}

// nginx and Caddy write X-Forwarded-For and pass a client's own Forwarded on.
TEST(TrustedProxies, AClientsForwardedDoesNotCountBesideXForwardedFor) {
  EXPECT_EQ(request("10.0.0.1", {{"Forwarded", "for=6.6.6.6"}, {"X-Forwarded-For", "192.0.2.9"}})
                .remote_address,
            "192.0.2.9");
}

TEST(TrustedProxies, AMappedAddressIsShownAsWhatItIs) {
  EXPECT_EQ(request("::ffff:10.0.0.1", {{"X-Forwarded-For", "192.0.2.9"}}).remote_address,
            "192.0.2.9");
  EXPECT_EQ(request("::ffff:10.0.0.1", {}).remote_address, "10.0.0.1");
}

}  // namespace
}  // namespace tars::api
