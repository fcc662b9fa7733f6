# What is needed to build corm_proto, and whether it is there: libprotobuf-c, protoc-c, and Google's descriptor.proto.

PROTOC_C ?= protoc-c
PROTO_INCLUDE ?= $(firstword $(patsubst %/google/protobuf/descriptor.proto,%,$(wildcard \
	$(shell pkg-config --variable=includedir protobuf 2>/dev/null)/google/protobuf/descriptor.proto \
	/usr/include/google/protobuf/descriptor.proto /usr/local/include/google/protobuf/descriptor.proto)))
WITH_PROTO ?= $(shell pkg-config --exists libprotobuf-c 2>/dev/null && command -v $(PROTOC_C) >/dev/null && \
	test -n '$(PROTO_INCLUDE)' && echo yes)
