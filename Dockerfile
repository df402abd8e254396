# T.A.R.S. as an image:  docker compose up -d   or   docker build -t tars .
# It holds the program, ggml's kernels for every generation of CPUs, and the default model.
# Plain Dockerfile syntax, so that the classic builder and podman take it too.
ARG DEBIAN=debian:bookworm-slim

FROM ${DEBIAN} AS build
WORKDIR /src
ENV TARS_PORTABLE=1
# What changes seldom comes first: a change of the sources repeats only the last steps.
COPY scripts scripts
COPY third_party third_party
RUN ./scripts/deps packages
RUN ./scripts/deps llama
RUN ./scripts/deps pages
COPY LICENSE CMakeLists.txt CMakePresets.json ./
COPY cmake cmake
COPY tools/pack_pages tools/
COPY web web
COPY src src
RUN ./scripts/build portable tars
RUN ./scripts/deps prepare
# What the image gets: /image/usr/local, and the names of the packages whose libraries are linked.
RUN install -d /image/usr/local/lib/tars /image/usr/local/bin /image/usr/local/share/tars/models \
 && cp build/portable/tars build/portable/lib*.so* /image/usr/local/lib/tars \
 && ln -s ../lib/tars/tars /image/usr/local/bin/tars \
 && cp LICENSE /image/usr/local/share/tars \
 && cp ~/.cache/tars/models/chat.gguf /image/usr/local/share/tars/models \
 && ldd build/portable/tars | awk '$3 ~ "^/(usr/)?lib/" { sub(".*/", "*/", $3); print $3 }' \
  | xargs dpkg-query --search | cut -d: -f1 | sort -u >/image/packages

FROM ${DEBIAN}
LABEL org.opencontainers.image.title="T.A.R.S." \
      org.opencontainers.image.description="A language model on your own machine, for all your devices" \
      org.opencontainers.image.licenses="Apache-2.0"
COPY --from=build /image/packages /usr/local/share/tars/packages
RUN apt-get update \
 && apt-get install -y --no-install-recommends ca-certificates curl $(cat /usr/local/share/tars/packages) \
 && rm -rf /var/lib/apt/lists/* /var/cache/apt/archives/*.deb \
 && useradd --uid 10001 --user-group --no-create-home --home-dir /data --shell /usr/sbin/nologin tars \
 && install -d -o tars -g tars -m 0700 /data
COPY --from=build /image/usr/local /usr/local
# On 0.0.0.0 enrolment is by key; the key is made at first start and shown once in the log.
# /data/models/chat.gguf, when it is there, takes the place of the image's model.
ENV TARS_HOST=0.0.0.0 TARS_DATA_DIR=/data TARS_CACHE_DIR=/usr/local/share/tars
USER 10001:10001
WORKDIR /data
VOLUME /data
EXPOSE 8000
# Where the server listens; https when it serves that: its certificate names another host than this one.
HEALTHCHECK --interval=10s --timeout=5s --start-period=60s --retries=3 \
  CMD case $TARS_HOST in 0.0.0.0 | ::) at=127.0.0.1 ;; *:*) at="[$TARS_HOST]" ;; *) at=$TARS_HOST ;; esac; \
      at=$at:${TARS_PORT:-${BACKEND_PORT:-8000}}; \
      curl --noproxy '*' -fs -o /dev/null "http://$at/health" \
   || curl --noproxy '*' -fsk -o /dev/null "https://$at/health"
ENTRYPOINT ["/usr/local/lib/tars/tars"]
CMD ["serve"]
