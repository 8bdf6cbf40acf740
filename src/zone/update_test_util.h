// UPDATE messages from lines of text, for the tests of this folder; scenario_test.cc has the grammar.
#pragma once

#include <sstream>
#include <string>
#include <vector>

#include "zone/update.h"
#include "zone/zone_test_util.h"

namespace quorate::zone {

// "hex 0102" are raw octets, well-formed or not.
inline std::string RdataOf(dns::RRType type, const std::string& text, const dns::Name& apex) {
  if (!text.starts_with("hex ")) return Rdata(type, text, apex);
  std::string out;
  for (size_t i = 4; i + 1 < text.size(); i += 2) {
    out.push_back(static_cast<char>(std::stoi(text.substr(i, 2), nullptr, 16)));
  }
  return out;
}

inline std::string UpdateRcodeText(dns::Rcode rcode) {
  switch (rcode) {
    case dns::Rcode::kFormErr:
      return "FORMERR";
    case dns::Rcode::kRefused:
      return "REFUSED";
    case dns::Rcode::kNXDomain:
      return "NXDOMAIN";
    case dns::Rcode::kYXDomain:
      return "YXDOMAIN";
    case dns::Rcode::kYXRRSet:
      return "YXRRSET";
    case dns::Rcode::kNXRRSet:
      return "NXRRSET";
    case dns::Rcode::kNotZone:
      return "NOTZONE";
    default:
      return "rcode " + std::to_string(static_cast<int>(rcode));
  }
}

inline dns::RRClass ClassOf(const std::string& text) {
  if (text == "IN") return dns::RRClass::kIN;
  if (text == "ANY") return dns::RRClass::kANY;
  if (text == "NONE") return dns::RRClass::kNONE;
  return static_cast<dns::RRClass>(std::stoi(text));
}

inline dns::RRType TypeOr(const std::string& text, dns::RRType otherwise) {
  return text.empty() ? otherwise : text == "ANY" ? dns::RRType::kANY : dns::TypeFromText(text).value();
}

inline std::string RestOf(std::istringstream& in) {
  std::string rest;
  std::getline(in >> std::ws, rest);
  return rest;
}

inline UpdateRecord PrerequisiteOf(std::istringstream& in, const dns::Name& apex) {
  std::string form, owner, type;
  in >> form >> owner >> type;
  const std::string rdata = RestOf(in);
  UpdateRecord record{.owner = N(owner, apex), .type = TypeOr(type, dns::RRType::kANY)};
  record.rr_class = form.starts_with("nx") ? dns::RRClass::kNONE : dns::RRClass::kANY;
  if (rdata.empty()) return record;
  record.rr_class = dns::RRClass::kIN;
  record.rdata = RdataOf(record.type, rdata, apex);
  return record;
}

inline UpdateRecord ChangeOf(const std::string& verb, std::istringstream& in, const dns::Name& apex) {
  std::string owner, type;
  UpdateRecord record;
  in >> owner;
  if (verb == "add") in >> record.ttl;
  in >> type;
  const std::string rdata = RestOf(in);
  record.owner = N(owner, apex);
  record.type = TypeOr(type, dns::RRType::kANY);
  if (!rdata.empty()) record.rdata = RdataOf(record.type, rdata, apex);
  if (verb != "add") record.rr_class = rdata.empty() ? dns::RRClass::kANY : dns::RRClass::kNONE;
  return record;
}

inline UpdateRecord RawOf(std::istringstream& in, const dns::Name& apex) {
  std::string owner, rr_class, type;
  UpdateRecord record;
  in >> owner >> rr_class >> record.ttl >> type;
  const std::string rdata = RestOf(in);
  record.owner = N(owner, apex);
  record.rr_class = ClassOf(rr_class);
  record.type = TypeOr(type, dns::RRType::kANY);
  if (!rdata.empty()) record.rdata = RdataOf(record.type, rdata, apex);
  return record;
}

inline void ReadUpdateLine(const std::string& line, const dns::Name& apex, Update& update, SerialRule& serial,
                           std::vector<dns::Name>& granted) {
  std::istringstream in(line);
  std::string verb, word;
  in >> verb;
  if (verb == "prereq") {
    update.prerequisites.push_back(PrerequisiteOf(in, apex));
  } else if (verb == "add" || verb == "delete") {
    update.updates.push_back(ChangeOf(verb, in, apex));
  } else if (verb == "raw") {
    in >> word;
    (word == "prereq" ? update.prerequisites : update.updates).push_back(RawOf(in, apex));
  } else if (verb == "may") {
    in >> word;
    granted.push_back(N(word, apex));
  } else if (verb == "serial") {
    int64_t seconds = 0;
    in >> word >> seconds;
    serial.policy = word == "unixtime"     ? SerialPolicy::kUnixTime
                    : word == "dateserial" ? SerialPolicy::kDateSerial
                                           : SerialPolicy::kIncrement;
    serial.now.since_epoch = std::chrono::seconds(seconds);
  } else {
    ADD_FAILURE() << "not a line of an update: " << line;
  }
}

}  // namespace quorate::zone
