// `quorate tsig`: the keys that sign messages between servers and from clients (RFC 8945).
#include <fmt/format.h>
#include <openssl/rand.h>

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include "absl/strings/escaping.h"
#include "base/check.h"
#include "cli/commands.h"
#include "cli/group_client.h"
#include "cli/report.h"
#include "cli/target.h"
#include "zone/keyring.h"

namespace quorate::cli {
namespace {

using nlohmann::json;

constexpr const char* kKeys = "/api/v1/servers/localhost/tsigkeys";

struct TsigArguments {
  std::shared_ptr<Target> target;
  std::string name, algorithm = "hmac-sha256", secret;
  std::vector<std::string> grants;
};
using Arguments = std::shared_ptr<TsigArguments>;

CliResult<dns::Name> KeyName(const TsigArguments& arguments) {
  auto name = NameArgument(arguments.name);
  if (name.ok() && name->IsRoot()) return CliError{ExitCode::kUsage, "a key is not called like the root"};
  return name.ok() ? CliResult<dns::Name>(name->Folded()) : name;
}

std::string KeyPath(const dns::Name& name) { return std::string(kKeys) + "/" + PercentEncode(name.ToText()); }

// All groups get the same secret, so it is made here.
std::string RandomSecret(dns::TsigAlgorithm algorithm) {
  std::string secret(dns::TsigMacBytes(algorithm), '\0');
  CHECK_EQ(RAND_bytes(reinterpret_cast<unsigned char*>(secret.data()), static_cast<int>(secret.size())), 1);
  return absl::Base64Escape(secret);
}

ExitCode ToAll(const TsigArguments& arguments, const dns::Name& name, const GroupRequest& request,
               const std::string& what) {
  const auto groups = arguments.target->GroupsAsConfigured();
  if (!groups.ok()) return Fail(groups.error());
  ExitCode exit = ExitCode::kOk;
  json results = json::array();
  for (const Group& group : *groups) {
    const GroupReply reply = GroupClient(arguments.target->Policy()).Call(group, request);
    json result = {{"region", group.region}, {"group", group.name}, {"key", name.ToText()}};
    const bool done = reply.ok() && reply->status / 100 == 2;
    if (done) {
      result["outcome"] = OutcomeName(ExitCode::kOk);
      if (!arguments.target->json()) fmt::print("{}: key {} {}\n", group.Label(), name.ToText(), what);
    } else {
      const CliError error = reply.ok() ? ErrorOf(*reply) : reply.error();
      result["outcome"] = OutcomeName(error.code);
      result["error"] = error.message;
      exit = Worse(exit, Fail({error.code, group.Label() + ": " + error.message}));
    }
    results.push_back(std::move(result));
  }
  if (arguments.target->json()) fmt::print("{}\n", json({{"results", std::move(results)}}).dump(2));
  return exit;
}

ExitCode Create(const TsigArguments& arguments) {
  const auto name = KeyName(arguments);
  if (!name.ok()) return Fail(name.error());
  const auto algorithm = dns::TsigAlgorithmFromText(arguments.algorithm);
  if (!algorithm) {
    return Fail(
        {ExitCode::kUsage, fmt::format("`{}` is no algorithm: hmac-sha256 is the usual one; there are "
                                       "hmac-sha1, -sha224, -sha384, -sha512 and hmac-md5",
                                       arguments.algorithm)});
  }
  for (const std::string& grant : arguments.grants) {
    if (const auto parsed = zone::GrantFromText(grant); !parsed.ok())
      return Fail({ExitCode::kUsage, parsed.error()});
  }
  std::string octets;
  if (!arguments.secret.empty() && (!absl::Base64Unescape(arguments.secret, &octets) || octets.empty()))
    return Fail({ExitCode::kUsage, "the secret is not base64"});
  const json body = {{"name", name->ToText()},
                     {"algorithm", dns::TsigAlgorithmToText(*algorithm)},
                     {"key", arguments.secret.empty() ? RandomSecret(*algorithm) : arguments.secret},
                     {"grants", arguments.grants}};
  return ToAll(arguments, *name, {.method = "POST", .path = kKeys, .body = body.dump()}, "made");
}

ExitCode Delete(const TsigArguments& arguments) {
  const auto name = KeyName(arguments);
  if (!name.ok()) return Fail(name.error());
  return ToAll(arguments, *name, {.method = "DELETE", .path = KeyPath(*name)}, "deleted");
}

CliResult<json> Read(const TsigArguments& arguments, const Group& group, const std::string& path) {
  const GroupReply reply = GroupClient(arguments.target->Policy()).Call(group, {.path = path});
  if (!reply.ok()) return reply.error();
  if (reply->status != 200) return ErrorOf(*reply);
  json body = json::parse(reply->body, nullptr, false);
  if (body.is_discarded())
    return CliError{ExitCode::kFailed, group.Label() + " gave no TSIG keys; is it a replica?"};
  return body;
}

ExitCode List(const TsigArguments& arguments) {
  const auto groups = arguments.target->GroupsAsConfigured();
  if (!groups.ok()) return Fail(groups.error());
  ExitCode exit = ExitCode::kOk;
  json results = json::array();
  for (const Group& group : *groups) {
    const auto keys = Read(arguments, group, kKeys);
    if (!keys.ok()) {
      exit = Worse(exit, Fail(keys.error()));
      continue;
    }
    for (const json& key : *keys) {
      const auto grants = key.value("grants", std::vector<std::string>());
      if (!arguments.target->json()) {
        fmt::print("{:<30} {:<12} {:<20} {}\n", key.value("id", ""), key.value("algorithm", ""),
                   group.Label(),
                   grants.empty() ? "(whatever a zone's `update` allows)"
                                  : fmt::format("{}", fmt::join(grants, "; ")));
      }
      results.push_back({{"region", group.region},
                         {"group", group.name},
                         {"name", key.value("id", "")},
                         {"algorithm", key.value("algorithm", "")},
                         {"grants", grants}});
    }
  }
  if (arguments.target->json()) fmt::print("{}\n", json({{"keys", std::move(results)}}).dump(2));
  return exit;
}

// As `nsupdate -k` and BIND's named.conf read it.
std::string BindText(const std::string& name, const std::string& algorithm, const std::string& secret) {
  return fmt::format("key \"{}\" {{\n\talgorithm {};\n\tsecret \"{}\";\n}};\n", name, algorithm, secret);
}

std::string KeyText(const json& key, const std::string& format) {
  const std::string name = key.value("name", ""), algorithm = key.value("algorithm", ""),
                    secret = key.value("key", "");
  if (format == "json") {
    return json({{"name", key.value("id", "")},
                 {"algorithm", algorithm},
                 {"secret", secret},
                 {"grants", key.value("grants", json::array())}})
               .dump(2) +
           "\n";
  }
  const std::string knot =
      fmt::format("key:\n  - id: {}\n    algorithm: {}\n    secret: {}\n", name, algorithm, secret);
  if (format == "knot") return knot;
  if (format == "nsd")
    return fmt::format("key:\n    name: \"{}\"\n    algorithm: {}\n    secret: \"{}\"\n", name, algorithm,
                       secret);
  // What `keymgr -t` prints: a comment for `kdig -y` and `knsupdate -y`, then knot.conf's.
  if (format == "keymgr") return fmt::format("# {}:{}:{}\n", algorithm, name, secret) + knot;
  return BindText(name, algorithm, secret);
}

ExitCode Show(const TsigArguments& arguments) {
  const auto name = KeyName(arguments);
  if (!name.ok()) return Fail(name.error());
  const auto groups = arguments.target->GroupsAsConfigured();
  if (!groups.ok()) return Fail(groups.error());
  CliError why{ExitCode::kNotFound, "no group"};
  for (const Group& group : *groups) {
    const auto key = Read(arguments, group, KeyPath(*name));
    if (key.ok()) {
      fmt::print("{}", KeyText(*key, arguments.target->format));
      return ExitCode::kOk;
    }
    why = key.error();
  }
  return Fail(why);
}

CLI::App* Add(CLI::App& tsig, const char* name, const char* help, const char* examples,
              const Arguments& arguments, const std::vector<std::string>& formats = {"text", "json"}) {
  CLI::App* command = tsig.add_subcommand(name, help);
  arguments->target = AddTargetFlags(*command, formats);
  command->footer(std::string("Examples:\n") + examples);
  return command;
}

void AddName(CLI::App* command, const Arguments& arguments) {
  command->add_option("name", arguments->name, "The key's name, a domain name")->required();
}

}  // namespace

void RegisterTsig(CLI::App& app, ExitCode& exit) {
  CLI::App* tsig = app.add_subcommand("tsig", "TSIG keys: create, list, show and delete");
  tsig->require_subcommand(1);
  tsig->footer(kExitCodeHelp);

  const auto create = std::make_shared<TsigArguments>();
  CLI::App* command = Add(
      *tsig, "create", "Make a key; its secret is random unless it is given",
      "  quorate tsig create xfr.\n"
      "  quorate tsig create acme. --grant 'subtree _acme-challenge.example.org. TXT'\n"
      "  quorate tsig create ddns. --grant 'name www.example.org. A AAAA' --grant 'name vpn.example.org. A'\n"
      "  quorate tsig create old. --algorithm hmac-sha512 --secret \"$SECRET\"",
      create);
  AddName(command, create);
  command
      ->add_option("--algorithm", create->algorithm,
                   "hmac-sha1, -sha224, -sha256, -sha384, -sha512, hmac-md5")
      ->capture_default_str();
  command->add_option("--secret", create->secret, "Base64, of a key that is there already elsewhere")
      ->envname("QUORATE_TSIG_SECRET");
  command
      ->add_option(
          "--grant", create->grants,
          "What it may change by UPDATE: 'subtree NAME [TYPE...]' or 'name NAME [TYPE...]'; repeatable "
          "(default: whatever a zone's `update` allows)")
      ->take_all()
      ->allow_extra_args(false);
  command->callback([create, &exit] { exit = Create(*create); });

  const auto list = std::make_shared<TsigArguments>();
  command = Add(*tsig, "list", "List the keys, without their secrets",
                "  quorate tsig list\n  quorate tsig list --server http://127.0.0.1:8101 -o json", list);
  command->callback([list, &exit] { exit = List(*list); });

  const auto show = std::make_shared<TsigArguments>();
  command = Add(*tsig, "show", "Print a key with its secret, as other programs read it",
                "  quorate tsig show ddns. --format nsupdate > ddns.key && nsupdate -k ddns.key\n"
                "  quorate tsig show xfr. --format nsd >> /etc/nsd/nsd.conf.d/keys.conf\n"
                "  quorate tsig show xfr. --format knot\n"
                "  quorate tsig show xfr. --format json",
                show, {"keymgr", "bind", "nsupdate", "knot", "nsd", "json"});
  AddName(command, show);
  command->callback([show, &exit] { exit = Show(*show); });

  const auto remove = std::make_shared<TsigArguments>();
  command = Add(*tsig, "delete", "Delete a key; what names it in a zone's settings allows nobody then",
                "  quorate tsig delete ddns.", remove);
  AddName(command, remove);
  command->callback([remove, &exit] { exit = Delete(*remove); });
}

}  // namespace quorate::cli
