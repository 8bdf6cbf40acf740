// Every bound of the product, with its arithmetic. Full has a policy, said where the bound is used.
#pragma once

#include <cstddef>

namespace quorate::limits {

inline constexpr size_t kCommandBytesMax = size_t{32}
                                           << 20;  // one write: a whole imported zone of ~400 k records
inline constexpr size_t kProposalsMax = 4096;      // waiting for the log: 200 ms x 10 k writes/s, doubled
inline constexpr size_t kProposalBytesMax = 2 * kCommandBytesMax;
inline constexpr size_t kAppendBytesMax = size_t{1}
                                          << 20;     // one AppendEntries, unless a single entry is larger
inline constexpr size_t kInflightMessagesMax = 256;  // AppendEntries under way to one follower
inline constexpr size_t kInflightBytesMax = size_t{8} << 20;
inline constexpr size_t kUncommittedBytesMax = 2 * kCommandBytesMax;
inline constexpr size_t kLogKeepEntries = 10000;  // kept behind the applied index for slow followers
inline constexpr size_t kLogCompactBytes = size_t{16} << 20;  // a longer log is cut, below what is flushed
// For a member that answers and still wants it the log may be so many times as long: 128 MiB, 640 k entries,
// which is a minute of 10 k writes/s: a snapshot of 2 GiB at kSnapshotBytesPerSecond.
inline constexpr size_t kLogHeldFactor = 8, kLogHeldEntriesFactor = 32;
inline constexpr size_t kSnapshotChunkBytes = size_t{1} << 20;
inline constexpr size_t kSnapshotBytesPerSecond =
    size_t{32} << 20;  // of all transfers of a leader: a quarter of 1 Gbit/s, and of what a small disk reads
inline constexpr size_t kSnapshotFilesMax = 2;  // saved over HTTP at a time; each pins a version of the state
inline constexpr size_t kPeerQueueMessages = 4096;  // waiting for one peer's stream; full drops, Raft resends
inline constexpr size_t kRecentOutcomesMax = 4096;  // of applied entries, for replies that come late
inline constexpr size_t kRecentOutcomeBytesMax = size_t{1} << 20;
inline constexpr size_t kReplicaInboxEvents =
    65536;  // of one replica: messages and calls; full drops, or refuses
inline constexpr size_t kReplicaInboxBytes = 2 * kProposalBytesMax;
inline constexpr size_t kSnapshotTransfersMax = 2;  // to followers at a time; the others wait
inline constexpr size_t kReadWaitersMax = 65536;
inline constexpr size_t kPendingTouchesMax =
    1024;  // names that unapplied changes touch; over it everything waits (a batch of 256 clients has ~512)
// Exactly once. Full refuses what is new (retry later); nothing that lives is forgotten for it.
inline constexpr size_t kIdempotencyKeysMax =
    1000000;  // of one lifetime (24 h: 11 a second); ~250 bytes each on disk
inline constexpr size_t kClientSessionsMax = 100000;
inline constexpr size_t kSessionOutcomesMax = 256;  // of one session: requests whose answer it may not have
inline constexpr size_t kKeptOutcomeBytesMax = size_t{1} << 20;     // of one outcome that is kept
inline constexpr size_t kKeptOutcomesBytesMax = size_t{512} << 20;  // of all: a key's is ~60 bytes
inline constexpr size_t kHeldQueriesMax = 4096;  // DNS queries of one worker waiting for a barrier
inline constexpr size_t kHttpJobsMax =
    256;  // HTTP requests waiting for the worker: ~25 ms each for small zones
inline constexpr size_t kHeldQueryBytesMax =
    kHeldQueriesMax * 256;  // of one worker: a query is ~60 octets, 4096 at most
inline constexpr size_t kTcpConnectionsMax =
    1024;  // DNS over TCP, of one worker; over it the longest idle goes
inline constexpr size_t kTcpPendingBytesMax = size_t{256}
                                              << 10;  // unsent answers of one connection; then it is not read
inline constexpr size_t kRateAccounts = 16384;        // of one worker: 512 KiB
inline constexpr size_t kTcpHeldQueriesMax = 64;      // of one connection; then it is not read
inline constexpr size_t kTcpHeldBytesMax = size_t{64} << 10;
// At the slow door and being sent. x 64 KiB of request = 64 MiB for a worker at worst.
inline constexpr size_t kSlowRequestsMax = 1024;     // of one worker; over it SERVFAIL
inline constexpr size_t kDnsDoorRequestsMax = 2048;  // of all workers, at the door for DNS; over it SERVFAIL
inline constexpr size_t kSlowRequestsPerConnectionMax = 16;  // then the connection is not read

// Zone files. What exceeds one of these is an error that names its line.
inline constexpr size_t kZoneEntryBytesMax = size_t{1}
                                             << 20;  // one record's text: 64 KiB of rdata, each octet as four
inline constexpr size_t kZoneTextBytesMax = size_t{1} << 30;  // of one import: ~15 M records
inline constexpr size_t kIncludeDepthMax = 8;
inline constexpr size_t kIncludesMax = 1000;        // of one zone: a file may name another many times
inline constexpr size_t kGenerateMax = 65536;       // records of one $GENERATE: a /16
inline constexpr size_t kGeneratedMax = 1'000'000;  // of all of one zone

// The Oracle: one machine's worth of state, rewritten whole at each change (16 x 1000 x ~300 bytes = 5 MB).
inline constexpr size_t kRegionsMax = 16;
inline constexpr size_t kReplicasPerGroupMax = 9;  // more only slows every write
inline constexpr size_t kZonesPerGroupMax = 1000;
inline constexpr size_t kGroupsMax = 1000;  // per region
inline constexpr size_t kOracleRequestBytesMax = size_t{1}
                                                 << 20;  // an init with kGroupsMax groups is ~100 KB
inline constexpr size_t kOracleConnectionsMax =
    256;  // x 1 MiB of request; each replica asks over one, for a moment

inline constexpr size_t kMembersMax = 64;            // of one group: voters, and learners at the edges
inline constexpr size_t kAddressBytesMax = 300;      // a host name of 255 octets, brackets, colon, port
inline constexpr size_t kAppendEntriesMax = 16384;   // in one AppendEntries: 1 MiB of 64-byte entries
inline constexpr size_t kTxnOpsMax = 128;            // of one client txn, per level, as etcd's max-txn-ops
inline constexpr size_t kTxnDepthMax = 32;           // nesting; protobuf's own bound of 100 allows 50
inline constexpr size_t kRRsetWireBytesMax = 64000;  // 65535 - header 12 - question 259 - OPT, TSIG and spare

// What is set for a zone, and the group's keys: all of it is looked at, or copied, as a whole.
inline constexpr size_t kAclRulesMax = 64;
inline constexpr size_t kRemotesMax = 32;
inline constexpr size_t kSettingsBytesMax = size_t{64} << 10;  // 4 x 64 rules, 2 x 32 servers, usual names
inline constexpr size_t kTsigKeysMax = 1000;                   // copied at each change of one
inline constexpr size_t kTsigSecretBytesMax = 512;
inline constexpr size_t kUpdateGrantsMax = 64;  // of one key
inline constexpr size_t kUpdateIdentityBytesMax = 64;
// Imports that come in pieces. Full refuses a new one.
inline constexpr size_t kStagesMax = 8;
inline constexpr size_t kStageBytesMax = size_t{512} << 20;  // of one: some 5 M records

// Zone transfers. What is over kTransfersMax is answered SERVFAIL: secondaries try again.
inline constexpr size_t kTransfersMax = 64;                // out, at a time: each holds a version of its zone
inline constexpr size_t kIxfrBytesMax = size_t{32} << 20;  // a longer delta goes as the whole zone
inline constexpr size_t kNotifiesUnderWayMax = 256;        // the others wait in the table, one line for each
                                                           // zone and server
inline constexpr size_t kChangedZonesMax = 4096;  // names waiting to be looked at; over it: all zones
inline constexpr size_t kCatalogMembersMax =
    100000;                                   // of one consumed catalog; a longer one counts as broken
inline constexpr size_t kTransfersInMax = 4;  // threads that fetch; the others wait
inline constexpr size_t kTransferInBytesMax = size_t{1} << 30;  // of one zone that comes in
inline constexpr size_t kTransferPieceBytes = size_t{4} << 20;  // of such a zone in one command

// The etcd door.
inline constexpr size_t kEtcdRequestBytesMax = size_t{3} << 19;  // 1.5 MiB, as etcd
inline constexpr size_t kEtcdCallsMax = 8192;     // under way; x 1.5 MiB at worst, some 100 B each as a rule
inline constexpr size_t kWatchStreamsMax = 1024;  // x kWatchStreamBytesMax = 1 GiB if nobody reads
inline constexpr size_t kWatchStreamBytesMax = size_t{1}
                                               << 20;  // unsent; over it a watch waits in the history
inline constexpr size_t kWatchesMax = 20000;           // each costs a comparison per change, if of a range
inline constexpr size_t kWatchQueueEvents =
    65536;  // applied, not yet handed to watches; over it they catch up
inline constexpr size_t kWatchQueueBytes = size_t{64} << 20;
inline constexpr size_t kRRsetRecordsMax = kRRsetWireBytesMax / 12;  // without rdata a record takes 12 octets
inline constexpr size_t kRRsetsPerNameMax = 256;                     // types at one name; ~100 exist

static_assert(kInflightBytesMax >= 2 * kAppendBytesMax, "else one batch stalls the pipeline");
static_assert(kKeptOutcomesBytesMax >= kIdempotencyKeysMax * 256, "else small outcomes fill it first");
static_assert(kProposalBytesMax >= kCommandBytesMax, "else the largest command can never be proposed");

}  // namespace quorate::limits
