# One image for everything that runs: the services inventory, leasing and billing, and gridlease, which migrates.
#
#   docker build -t gridlease .
#   docker run gridlease /usr/local/bin/inventory --settings
#
# The bases are arguments, so that a registry of your own and a digest can be named:
#   --build-arg RUST_BASE=registry.example/rust:1.95.0-slim-bookworm@sha256:...
# Without a network, with the crates at hand (cargo fetch --locked filled $CARGO_HOME):
#   buildah bud --network none --build-arg CARGO_NET_OFFLINE=true -v "$CARGO_HOME/registry:/usr/local/cargo/registry" .

ARG RUST_BASE=docker.io/library/rust:1.95.0-slim-bookworm

FROM ${RUST_BASE} AS build
ARG CARGO_NET_OFFLINE=false
# `release` is what ships; `dev` builds in a fraction of the time, to try the image itself.
ARG PROFILE=release
ENV CARGO_NET_OFFLINE=${CARGO_NET_OFFLINE} CARGO_TERM_COLOR=never
# `.ci/reproducible` calls every folder so.
WORKDIR /source
COPY . .
RUN cargo build --locked --profile "${PROFILE}" -p inventory -p leasing -p billing -p gridlease
# Nothing but the programs, what they load, the authorities of certificates, and the bill of materials.
RUN .ci/image-root "$([ "${PROFILE}" = dev ] && echo target/debug || echo "target/${PROFILE}")" /image

FROM scratch
ARG VERSION=0.1.0
ARG REVISION=unknown
LABEL org.opencontainers.image.title="gridlease" \
      org.opencontainers.image.description="A capacity marketplace for powered, cooled sites: inventory, leasing and billing" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}"
COPY --from=build /image /
ENV PATH=/usr/local/bin SSL_CERT_FILE=/etc/ssl/certs/ca-certificates.crt
USER 10001:10001
EXPOSE 50051 9090
CMD ["/usr/local/bin/gridlease", "--help"]
