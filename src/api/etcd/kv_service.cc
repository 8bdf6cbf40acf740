#include "api/etcd/kv_service.h"

#include "api/etcd/convert.h"
#include "api/etcd/errors.h"
#include "kv/store.h"

namespace quorate::api::etcd {
namespace {

grpc::Status ToStatus(const BadRequest& bad) { return {grpc::StatusCode::INVALID_ARGUMENT, bad.text}; }
using etcd::ToStatus;

// A put or delete by itself is a txn of one operation; its answer is that operation's.
template <class StoreResponse, class Request, class Response>
void ProposeSingle(std::shared_ptr<Call> call, Request request, Response* response) {
  kv::TxnRequest txn = kv::SingleOp(std::move(request));
  if (const auto error = kv::Check(txn)) return call->FinishWrite(ToStatus(*error), "refused");
  Door& door = call->door();
  Propose(std::move(call), rsm::KvTxn{std::move(txn)}, [&door, response](rsm::CommandResult result) {
    door.FillHeader(*response->mutable_header());
    response->mutable_header()->set_revision(static_cast<int64_t>(result.txn.revision.value));
    if (result.txn.responses.empty()) return;
    if (auto* single = std::get_if<StoreResponse>(&result.txn.responses[0])) {
      FromStore(std::move(*single), *response);
    }
  });
}

grpc::Status RunTxn(Door& door, const kv::TxnRequest& txn, etcdserverpb::TxnResponse* response) {
  kv::Transaction transaction(*door.backend.map);
  auto result = kv::Execute(transaction, txn);
  if (!result.ok()) return ToStatus(result.error());
  door.FillHeader(*response->mutable_header());
  FromStore(*std::move(result), *response);
  return grpc::Status::OK;
}

}  // namespace

grpc::ServerUnaryReactor* KvService::Range(grpc::CallbackServerContext* context,
                                           const etcdserverpb::RangeRequest* request,
                                           etcdserverpb::RangeResponse* response) {
  grpc::ServerUnaryReactor* const reactor = context->DefaultReactor();
  const auto call = Call::Begin(door_, context, reactor);
  if (!call) return reactor;
  auto range = ToStore(*request);
  if (!range.ok()) {
    call->Finish(ToStatus(range.error()));
  } else if (range->range.key.empty()) {
    call->Finish(ToStatus(kv::Error::kEmptyKey));
  } else {
    AfterRead(call, request->serializable(), [this, range = *std::move(range), response]() -> grpc::Status {
      auto result = kv::Range(*door_.backend.map, range);
      if (!result.ok()) return ToStatus(result.error());
      door_.FillHeader(*response->mutable_header());
      FromStore(*std::move(result), *response);
      return grpc::Status::OK;
    });
  }
  return reactor;
}

grpc::ServerUnaryReactor* KvService::Put(grpc::CallbackServerContext* context,
                                         const etcdserverpb::PutRequest* request,
                                         etcdserverpb::PutResponse* response) {
  grpc::ServerUnaryReactor* const reactor = context->DefaultReactor();
  if (auto call = Call::Begin(door_, context, reactor)) {
    ProposeSingle<kv::PutResponse>(std::move(call), ToStore(*request), response);
  }
  return reactor;
}

grpc::ServerUnaryReactor* KvService::DeleteRange(grpc::CallbackServerContext* context,
                                                 const etcdserverpb::DeleteRangeRequest* request,
                                                 etcdserverpb::DeleteRangeResponse* response) {
  grpc::ServerUnaryReactor* const reactor = context->DefaultReactor();
  if (auto call = Call::Begin(door_, context, reactor)) {
    ProposeSingle<kv::DeleteRangeResponse>(std::move(call), ToStore(*request), response);
  }
  return reactor;
}

grpc::ServerUnaryReactor* KvService::Txn(grpc::CallbackServerContext* context,
                                         const etcdserverpb::TxnRequest* request,
                                         etcdserverpb::TxnResponse* response) {
  grpc::ServerUnaryReactor* const reactor = context->DefaultReactor();
  const auto call = Call::Begin(door_, context, reactor);
  if (!call) return reactor;
  auto txn = ToStore(*request);
  if (!txn.ok()) {
    call->FinishWrite(ToStatus(txn.error()), "refused");
  } else if (const auto error = kv::Check(*txn)) {
    call->FinishWrite(ToStatus(*error), "refused");
  } else if (kv::IsReadOnly(*txn)) {
    AfterRead(call, IsSerializable(*request),
              [this, txn = *std::move(txn), response] { return RunTxn(door_, txn, response); });
  } else {
    Propose(call, rsm::KvTxn{*std::move(txn)}, [this, response](rsm::CommandResult result) {
      door_.FillHeader(*response->mutable_header());
      FromStore(std::move(result.txn), *response);
    });
  }
  return reactor;
}

grpc::ServerUnaryReactor* KvService::Compact(grpc::CallbackServerContext* context,
                                             const etcdserverpb::CompactionRequest* request,
                                             etcdserverpb::CompactionResponse* response) {
  grpc::ServerUnaryReactor* const reactor = context->DefaultReactor();
  auto call = Call::Begin(door_, context, reactor);
  if (!call) return reactor;
  const Revision at{request->revision() > 0 ? static_cast<uint64_t>(request->revision()) : 0};
  Propose(std::move(call), rsm::KvCompact{at}, [this, response](const rsm::CommandResult& result) {
    door_.FillHeader(*response->mutable_header());
    response->mutable_header()->set_revision(static_cast<int64_t>(result.revision.value));
  });
  return reactor;
}

}  // namespace quorate::api::etcd
