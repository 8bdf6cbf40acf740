// `quorate resolve`: walks from the root to the answer as a recursive resolver would (RFC 1034 5.3.3),
// keeping nothing but what it learns on the way, and can tell each step.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <ostream>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "base/result.h"
#include "base/types.h"
#include "serve/socket_address.h"
#include "wire/message.h"

namespace quorate::cli {

struct ResolveOptions {
  dns::Name name;
  dns::RRType type = dns::RRType::kA;
  std::vector<serve::SocketAddress> roots;     // at least one
  uint16_t port = 0;                           // of servers found by their glue; 0: that of the first root
  Duration timeout = std::chrono::seconds(2);  // of one try at one server
  int rounds = 2;                              // over all servers of a zone
};

// One question to one server.
struct ResolveStep {
  std::string server;    // "127.0.0.1:53"
  std::string zone;      // whose server it is, as far as we know
  std::string question;  // "www.example.org. A"
  std::string outcome;   // "referral", "answer", "cname", "nodata", "nxdomain", "failed"
  std::string detail;    // "to org.: ns1.org. 127.0.1.1", the record, the fault
  double millis = 0;
};

enum class ResolveOutcome { kAnswer, kNoData, kNxDomain, kFailed };

struct ResolveResult {
  ResolveOutcome outcome = ResolveOutcome::kFailed;
  std::vector<wire::Record> answer;  // with the aliases on the way to it, in order
  std::string error;                 // of kFailed: why, and what to look at
  bool alias_loop = false;           // kFailed because aliases lead back to one of them
  std::vector<ResolveStep> steps;
};

// "answer", "nodata", "nxdomain", "failed".
std::string OutcomeText(ResolveOutcome outcome);

// Sends `query` to `server` and gives the response that belongs to it, or what went wrong, for people.
using Exchange = std::function<Result<wire::Message, std::string>(const serve::SocketAddress& server,
                                                                  const wire::Message& query)>;

// Every walk ends: questions, aliases and nested look-ups of nameservers are bounded.
class IterativeResolver {
 public:
  // `trace` may be null; otherwise each step is printed to it as it happens.
  IterativeResolver(ResolveOptions options, Exchange exchange, std::ostream* trace);
  ResolveResult Run();

 private:
  struct Server {
    std::string name;  // "ns1.org."; of a root: ""
    serve::SocketAddress address;
  };
  // A zone's servers as its parent names them.
  struct Delegation {
    dns::Name zone;
    std::vector<Server> servers;      // by glue, or looked up
    std::vector<dns::Name> unlooked;  // nameservers without glue
  };
  // What one response means for one question.
  struct Reading {
    ResolveOutcome outcome = ResolveOutcome::kFailed;
    std::vector<wire::Record> records;  // of the answer
    bool is_alias = false;              // go on at `target`
    dns::Name target;
    bool is_referral = false;
    Delegation referral;
    std::string what, detail;  // as in ResolveStep
  };

  ResolveResult Look(dns::Name name, dns::RRType type, int depth);
  Reading AskServersOf(Delegation& delegation, const dns::Name& name, dns::RRType type, int depth);
  Reading AskOne(const Server& server, const dns::Name& zone, const dns::Name& name, dns::RRType type);
  Reading Read(const wire::Message& response, const dns::Name& zone, const dns::Name& name,
               dns::RRType type) const;
  Reading ReadAnswer(const wire::Message& response, const dns::Name& zone, const dns::Name& name,
                     dns::RRType type) const;
  Reading ReadReferral(const wire::Message& response, const dns::Name& zone, const dns::Name& name) const;
  bool LookUpServer(Delegation& delegation, int depth);
  Delegation& ClosestDelegation(const dns::Name& name);
  void Note(ResolveStep step);

  const ResolveOptions options_;
  const Exchange exchange_;
  std::ostream* const trace_;
  std::map<dns::Name, Delegation> known_;
  std::vector<ResolveStep> steps_;
};

// "192.0.2.1", "192.0.2.1:5300", "2001:db8::1" or "[2001:db8::1]:5300"; without a port it is 53.
absl::StatusOr<serve::SocketAddress> ParseServer(const std::string& text);

// UDP with EDNS, TCP where the response is truncated. Blocks up to `timeout`. Responses that do not belong to
// the query (id, question, sender) are passed over.
Exchange NetworkExchange(Duration timeout);

// The whole of `quorate resolve`, over the network.
ResolveResult Resolve(const ResolveOptions& options, std::ostream* trace);

}  // namespace quorate::cli
