"""A Gridlease client with no generated code: everything it knows of the wire comes from the servers' reflection.

    from gridlease_client import Gridlease
    inventory = Gridlease("127.0.0.1:7001", token)
    print(inventory.call("gridlease.inventory.v1.CapacityService/SearchCapacity", critical_it_kw=40_000, ...))
"""

import grpc
from google.protobuf import descriptor_pool, json_format, message_factory
from grpc_reflection.v1alpha.proto_reflection_descriptor_database import ProtoReflectionDescriptorDatabase
from grpc_status import rpc_status

# Importing the message classes registers the types of google.rpc error details, so that they can be unpacked.
from google.rpc import error_details_pb2


class Refused(Exception):
    """A refusal: `code` is the gRPC code's name, `reason` the stable reason, `violations` the fields at fault."""

    def __init__(self, error):
        self.code = error.code().name
        self.message = error.details()
        self.reason, self.metadata, self.violations = None, {}, []
        status = rpc_status.from_call(error)
        for detail in status.details if status else []:
            if detail.Is(error_details_pb2.ErrorInfo.DESCRIPTOR):
                info = error_details_pb2.ErrorInfo()
                detail.Unpack(info)
                self.reason, self.metadata = info.reason, dict(info.metadata)
            elif detail.Is(error_details_pb2.BadRequest.DESCRIPTOR):
                bad = error_details_pb2.BadRequest()
                detail.Unpack(bad)
                self.violations = [v.field for v in bad.field_violations]
        super().__init__(f"{self.code} {self.reason}: {self.message} {self.metadata} {self.violations}")


class Gridlease:
    """One server, one token. Requests and answers are plain dicts in protobuf's JSON form with snake_case names."""

    def __init__(self, address, token=None):
        self._channel = grpc.insecure_channel(address)
        self._pool = descriptor_pool.DescriptorPool(ProtoReflectionDescriptorDatabase(self._channel))
        self._token = token

    def with_token(self, token):
        other = object.__new__(Gridlease)
        other.__dict__ = {**self.__dict__, "_token": token}
        return other

    def services(self):
        return ProtoReflectionDescriptorDatabase(self._channel).get_services()

    def _prepare(self, path, fields):
        service, name = path.split("/")
        method = self._pool.FindServiceByName(service).FindMethodByName(name)
        request_type = message_factory.GetMessageClass(method.input_type)
        answer_type = message_factory.GetMessageClass(method.output_type)
        request = json_format.ParseDict(fields, request_type(), descriptor_pool=self._pool)
        metadata = [("authorization", f"Bearer {self._token}")] if self._token else []
        return request, answer_type, metadata

    def _to_dict(self, answer):
        return json_format.MessageToDict(
            answer, preserving_proto_field_name=True, descriptor_pool=self._pool
        )

    def call(self, path, timeout=10, **fields):
        request, answer_type, metadata = self._prepare(path, fields)
        call = self._channel.unary_unary(
            f"/{path}",
            request_serializer=lambda m: m.SerializeToString(),
            response_deserializer=answer_type.FromString,
        )
        try:
            return self._to_dict(call(request, metadata=metadata, timeout=timeout))
        except grpc.RpcError as error:
            raise Refused(error) from None

    def watch(self, path, timeout=10, **fields):
        """The answers of a server stream, until the deadline or the reader stops."""
        request, answer_type, metadata = self._prepare(path, fields)
        call = self._channel.unary_stream(
            f"/{path}",
            request_serializer=lambda m: m.SerializeToString(),
            response_deserializer=answer_type.FromString,
        )
        stream = call(request, metadata=metadata, timeout=timeout)
        try:
            for answer in stream:
                yield self._to_dict(answer)
        except grpc.RpcError as error:
            if error.code() is not grpc.StatusCode.DEADLINE_EXCEEDED:
                raise Refused(error) from None
        finally:
            stream.cancel()
