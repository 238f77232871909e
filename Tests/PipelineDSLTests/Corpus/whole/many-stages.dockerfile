ARG BASE=ubuntu:24.04
FROM ${BASE} AS common
ENV DEBIAN_FRONTEND=noninteractive
RUN rm -f /etc/apt/apt.conf.d/docker-clean; echo 'Binary::apt::APT::Keep-Downloaded-Packages "true";' > /etc/apt/apt.conf.d/keep-cache
FROM common AS clang
RUN --mount=type=cache,target=/var/cache/apt,sharing=locked --mount=type=cache,target=/var/lib/apt,sharing=locked apt-get update && apt-get install -y clang
FROM common AS cmake
ADD --checksum=sha256:24f67bdefa017fe2e083b8a175d40c7c7b8f7a5cc1d22bd4e2bdc9f0d1d0b1f5 https://example.com/cmake-3.30.tar.gz /tmp/cmake.tar.gz
RUN tar -C /opt -xzf /tmp/cmake.tar.gz --strip-components=1
FROM clang AS build
COPY --from=cmake /opt /opt
ENV PATH=/opt/bin:${PATH}
ADD https://example.com/project.git#v1.0 /src
RUN cmake -S /src -B /build -DCMAKE_BUILD_TYPE=Release -DCMAKE_INSTALL_PREFIX=/usr && cmake --build /build -j"$(nproc)" && DESTDIR=/install cmake --install /build
FROM build AS docs
RUN --network=none make -C /src/docs html
FROM scratch AS artifacts
COPY --from=build /install /
COPY --from=docs /src/docs/_build/html /docs
FROM common AS final
COPY --from=artifacts / /
CMD project --serve
