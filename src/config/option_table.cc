// The one table of options. A name, default, bound or sentence is written here and nowhere else.
#include <array>

#include "config/option.h"

namespace tars::config {
namespace {

constexpr double kMebibyte = 1024.0 * 1024.0;

// clang-format off
constexpr auto kOptions = std::to_array<Option>({
    // -- server
    {.name = "TARS_HOST", .kind = Kind::text, .initial = "127.0.0.1", .min = 1, .max = 255,
     .short_flag = "host",
     .help = "Address to listen on. Anything but a loopback address lets other machines in, and "
             "then AUTH_ENROLLMENT is `key` unless set. Unset or `localhost`: also on ::1, where "
             "the machine has it."},
    {.name = "TARS_PORT", .kind = Kind::integer, .initial = "8000", .min = 0, .max = 65535,
     .alias = "BACKEND_PORT", .short_flag = "port",
     .help = "TCP port to listen on; 0 takes a free one."},
    {.name = "TARS_DATA_DIR", .kind = Kind::path, .initial = "~/.local/share/tars",
     .help = "The folder that holds conversations, tokens' families and made secrets. One server "
             "at a time."},
    {.name = "TARS_CACHE_DIR", .kind = Kind::path,
     .unset_means = "$XDG_CACHE_HOME/tars, else ~/.cache/tars",
     .help = "Where the default MODEL_PATH is looked for. ./scripts/run keeps weights and build "
             "results there too, but takes it from the environment alone."},
    {.name = "TARS_ENV", .kind = Kind::choice, .unset_means = "neither",
     .choices = "development|production",
     .help = "`development` opens enrolment and allows CORS `*`; `production` refuses to start "
             "with unsafe options."},
    {.name = "IO_THREADS", .kind = Kind::integer, .initial = "1", .min = 1, .max = 64,
     .unit = "threads",
     .help = "Threads that serve sockets. The model has its own."},
    {.name = "IO_PRIORITY", .kind = Kind::choice, .initial = "auto", .choices = "auto|normal",
     .help = "`auto`: while threads that serve sockets use less than a third of their core they "
             "come before all that compute (SCHED_RR, priority 1), where the system allows it "
             "(root, or LimitRTPRIO=1). `normal`: never."},
    {.name = "LOG_LEVEL", .kind = Kind::choice, .initial = "INFO",
     .choices = "TRACE|DEBUG|INFO|WARN|WARNING|ERROR|CRITICAL",
     .help = "The least important lines that are still written. `WARN` is WARNING, `CRITICAL` is "
             "ERROR."},
    {.name = "LOG_FORMAT", .kind = Kind::choice, .initial = "text", .choices = "text|json",
     .help = "Lines for people, or one JSON object a line."},
    {.name = "LOG_FILE", .kind = Kind::path, .unset_means = "stderr",
     .help = "Log lines are appended to this file; after SIGUSR1 it is opened anew under its name, "
             "for logrotate."},
    {.name = "DRAIN_SECONDS", .kind = Kind::integer, .initial = "20", .min = 0, .max = 3600,
     .unit = "seconds",
     .help = "After SIGTERM running answers may go on this long; then they are kept as partial."},
    {.name = "CORS_ORIGINS", .kind = Kind::list, .unset_means = "same origin only",
     .help = "Origins that browsers may call from, such as https://chat.example. `*` is for "
             "TARS_ENV=development only."},
    {.name = "TRUSTED_PROXIES", .kind = Kind::list, .unset_means = "none",
     .help = "Addresses or networks (10.0.0.0/8) of the reverse proxies in front of this server. "
             "What they say in X-Forwarded-For, -Proto and -Host, or else in Forwarded, is taken "
             "for the client's address, scheme and host. A proxy that writes only Forwarded has to "
             "drop the client's X-Forwarded-*, and the other way round."},
    {.name = "HTTPS_ENABLED", .kind = Kind::boolean, .initial = "false",
     .help = "Serve HTTPS and wss, TLS 1.2 and 1.3, with TLS_CERT_PATH and TLS_KEY_PATH."},
    {.name = "TLS_CERT_PATH", .kind = Kind::path,
     .help = "Certificate chain, PEM, the server's own certificate first. SIGHUP reads it and the "
             "key again and drops no connection."},
    {.name = "TLS_KEY_PATH", .kind = Kind::path,
     .help = "The certificate's private key, PEM, without a passphrase."},
    // -- HTTP
    {.name = "HTTP_MAX_BODY_BYTES", .group = Group::http, .kind = Kind::integer,
     .initial = "1048576", .min = 1024, .max = 1024 * kMebibyte, .unit = "bytes",
     .help = "A larger request body is answered 413. Of all large bodies together 64 MiB, or four "
             "of the largest, are held at once: then 503."},
    {.name = "HTTP_MAX_HEADER_BYTES", .group = Group::http, .kind = Kind::integer,
     .initial = "16384", .min = 1024, .max = kMebibyte, .unit = "bytes",
     .help = "Larger request headers are answered 431."},
    {.name = "HTTP_MAX_CONNECTIONS", .group = Group::http, .kind = Kind::integer, .initial = "4096",
     .min = 1, .max = 1000000, .unit = "connections",
     .help = "Open connections, WebSockets included. Past that the one that is idle longest makes "
             "room, or the one that takes longest to send its request; where none is, new ones "
             "wait. Unset, it is at least WS_MAX_CONNECTIONS + 256."},
    {.name = "HTTP_HEADER_TIMEOUT", .group = Group::http, .kind = Kind::integer, .initial = "10",
     .min = 1, .max = 3600, .unit = "seconds",
     .help = "From the connection, or a kept one's first byte, to the last header; then 408."},
    {.name = "HTTP_BODY_TIMEOUT", .group = Group::http, .kind = Kind::integer, .initial = "30",
     .min = 1, .max = 3600, .unit = "seconds",
     .help = "For the whole body; then 408, as after 10 s without a byte of it."},
    {.name = "HTTP_IDLE_TIMEOUT", .group = Group::http, .kind = Kind::integer, .initial = "75",
     .min = 1, .max = 3600, .unit = "seconds",
     .help = "A kept-alive connection with no request is closed after this."},
    // -- tokens
    {.name = "JWT_SECRET_KEY", .group = Group::tokens, .kind = Kind::text,
     .unset_means = "made at first start, kept in TARS_DATA_DIR", .min = 32, .max = 4096,
     .unit = "bytes", .secret = true,
     .help = "Signs tokens. Changing it ends every token, unless the old one becomes "
             "JWT_PREVIOUS_SECRET_KEY."},
    {.name = "JWT_PREVIOUS_SECRET_KEY", .group = Group::tokens, .kind = Kind::text, .min = 32,
     .max = 4096, .unit = "bytes", .secret = true,
     .help = "The key before this one; its tokens are good until JWT_PREVIOUS_VALID_UNTIL."},
    {.name = "JWT_PREVIOUS_VALID_UNTIL", .group = Group::tokens, .kind = Kind::time,
     .help = "When the previous key ends; needed with JWT_PREVIOUS_SECRET_KEY."},
    {.name = "JWT_ALGORITHM", .group = Group::tokens, .kind = Kind::choice, .initial = "HS256",
     .choices = "HS256",
     .help = "Pinned: no other algorithm is accepted."},
    {.name = "JWT_EXPIRATION_HOURS", .group = Group::tokens, .kind = Kind::integer, .initial = "24",
     .min = 1, .max = 8760, .unit = "hours",
     .help = "Life of an access token."},
    {.name = "JWT_REFRESH_EXPIRATION_DAYS", .group = Group::tokens, .kind = Kind::integer,
     .initial = "7", .min = 1, .max = 365, .unit = "days",
     .help = "Life of a refresh token."},
    {.name = "REFRESH_GRACE_SECONDS", .group = Group::tokens, .kind = Kind::integer, .initial = "0",
     .min = 0, .max = 300, .unit = "seconds",
     .help = "A spent refresh token is good again this long, for clients that lose answers; 0 is "
             "the safe value."},
    {.name = "AUTH_ENROLLMENT", .group = Group::tokens, .kind = Kind::choice,
     .unset_means = "open on a loopback address or in development, else key",
     .choices = "open|key|closed",
     .help = "Who gets a token: anyone who reaches the port, holders of AUTH_ENROLLMENT_KEY, or "
             "nobody new."},
    {.name = "AUTH_ENROLLMENT_KEY", .group = Group::tokens, .kind = Kind::text,
     .unset_means = "made at first start when needed, shown once", .min = 8, .max = 1024,
     .unit = "bytes", .secret = true,
     .help = "What a device sends as enrollment_key while AUTH_ENROLLMENT is `key`."},
    {.name = "ADMIN_CLIENTS", .group = Group::tokens, .kind = Kind::list, .unset_means = "none",
     .help = "client_ids with admin rights. Refused together with open enrolment, where anyone "
             "could take the name. With `key` every holder of the key can: `closed` and `tars "
             "token` keep them apart."},
    {.name = "RATE_LIMIT_PER_MINUTE", .group = Group::tokens, .kind = Kind::integer,
     .initial = "60", .min = 0, .max = 1000000, .unit = "calls per address",
     .help = "Calls of /auth/token and /auth/refresh, at once and then a minute; 0 = no limit."},
    // -- WebSocket
    {.name = "WS_HEARTBEAT_INTERVAL", .group = Group::sockets, .kind = Kind::integer,
     .initial = "30", .min = 1, .max = 3600, .unit = "seconds",
     .help = "Time between two pings."},
    {.name = "WS_TIMEOUT_SECONDS", .group = Group::sockets, .kind = Kind::integer, .initial = "300",
     .min = 1, .max = 86400, .unit = "seconds",
     .help = "A socket with no frame from its client for this long is closed."},
    {.name = "WS_MAX_CONNECTIONS", .group = Group::sockets, .kind = Kind::integer,
     .initial = "1024", .min = 1, .max = 1000000, .unit = "sockets",
     .help = "Sockets in all; one more is closed with 1013."},
    {.name = "WS_MAX_CONNECTIONS_PER_CLIENT", .group = Group::sockets, .kind = Kind::integer,
     .initial = "64", .min = 1, .max = 1000000, .unit = "sockets",
     .help = "Sockets of one client_id."},
    {.name = "WS_MAX_MESSAGE_BYTES", .group = Group::sockets, .kind = Kind::integer,
     .initial = "262144", .min = 1024, .max = 64 * kMebibyte, .unit = "bytes",
     .help = "A larger message closes the socket with 1009."},
    {.name = "WS_MESSAGE_QUEUE_SIZE", .group = Group::sockets, .kind = Kind::integer,
     .initial = "100", .min = 8, .max = 100000, .unit = "frames",
     .help = "Control frames that may wait per socket; tokens wait in the run's log instead."},
    {.name = "WS_RATE_MESSAGES_PER_SECOND", .group = Group::sockets, .kind = Kind::integer,
     .initial = "20", .min = 1, .max = 100000, .unit = "messages per second",
     .help = "What one socket may send for long; above it RATE_LIMITED."},
    {.name = "WS_RATE_BURST", .group = Group::sockets, .kind = Kind::integer, .initial = "60",
     .min = 1, .max = 100000, .unit = "messages",
     .help = "What one socket may send at once."},
    // -- model
    {.name = "LLM_BACKEND", .group = Group::model, .kind = Kind::choice, .initial = "embedded",
     .choices = "embedded|ollama|openai",
     .help = "Where text is generated when a request names no other place: by the model in this "
             "process, an Ollama server, or an OpenAI-compatible one. The others are there too "
             "when MODEL_PATH, OLLAMA_HOST or OPENAI_BASE_URL is set, as models named embedded/…, "
             "ollama/… and openai/…. A model that is called so itself, openai/gpt-oss-20b, keeps "
             "its name."},
    {.name = "MODEL_PATH", .group = Group::model, .kind = Kind::path,
     .unset_means = "models/chat.gguf in TARS_DATA_DIR, else in TARS_CACHE_DIR",
     .help = "A GGUF file with a chat template."},
    {.name = "MODEL_THREADS", .group = Group::model, .kind = Kind::integer, .initial = "auto",
     .min = 1, .max = 512, .unit = "threads", .keyword = "auto",
     .help = "Threads that compute; `auto` is one for each CPU that the process may use, 16 at "
             "most. Fewer work while others use the CPUs."},
    {.name = "MODEL_GPU_LAYERS", .group = Group::model, .kind = Kind::integer, .initial = "auto",
     .min = 0, .max = 10000, .unit = "layers", .keyword = "auto",
     .help = "Layers that a GPU computes, in a program built with TARS_GPU=cuda or vulkan: `auto` "
             "is all that fit in its free memory, 0 leaves everything to the CPU."},
    {.name = "MODEL_SLOTS", .group = Group::model, .kind = Kind::integer, .initial = "8", .min = 1,
     .max = 64, .unit = "answers",
     .help = "Answers generated at once; each takes its share of memory for a whole context."},
    {.name = "MODEL_CONTEXT_LENGTH", .group = Group::model, .kind = Kind::integer,
     .unset_means = "4096, or what the model allows if less", .min = 256, .max = 1048576,
     .unit = "tokens", .alias = "OLLAMA_CONTEXT_LENGTH",
     .help = "Prompt and answer together."},
    {.name = "MODEL_TEMPERATURE", .group = Group::model, .kind = Kind::number, .initial = "0.7",
     .min = 0, .max = 2,
     .help = "For requests that name none; 0 always takes the likeliest token."},
    {.name = "MODEL_TOP_P", .group = Group::model, .kind = Kind::number, .initial = "0.9", .min = 0,
     .max = 1,
     .help = "For requests that name none."},
    {.name = "MODEL_TOP_K", .group = Group::model, .kind = Kind::integer, .initial = "40", .min = 0,
     .max = 1'000'000, .unit = "tokens",
     .help = "For requests that name none; 0 = no limit."},
    {.name = "MODEL_MAX_TOKENS", .group = Group::model, .kind = Kind::integer, .initial = "2048",
     .min = 1, .max = 1048576, .unit = "tokens",
     .help = "The longest answer, and the length for requests that name none."},
    {.name = "SYSTEM_PROMPT", .group = Group::model, .kind = Kind::text,
     .initial = "You are a helpful assistant. Answer briefly and truthfully.", .min = 0,
     .max = 32768,
     .help = "The first message of every prompt; `none` for no such message. Unset, there is none "
             "where LLM_BACKEND is a model server, which may have its own."},
    {.name = "EMBEDDING_MODEL_PATH", .group = Group::model, .kind = Kind::path,
     .effect = Effect::later,
     .help = "A GGUF file of an embedding model."},
    {.name = "OLLAMA_HOST", .group = Group::model, .kind = Kind::list,
     .unset_means = "127.0.0.1:11434 when LLM_BACKEND is ollama",
     .help = "Ollama servers, such as http://127.0.0.1:11434. Of several that have the model the "
             "least busy is asked first; one that fails is left out until it answers again."},
    {.name = "OLLAMA_MODEL", .group = Group::model, .kind = Kind::text,
     .unset_means = "the first that the server lists", .max = 256, .unit = "bytes",
     .help = "The model to ask it for."},
    {.name = "OPENAI_BASE_URL", .group = Group::model, .kind = Kind::url,
     .help = "An OpenAI-compatible server, such as https://api.example/v1. The certificate of an "
             "https server must be trusted and name it."},
    {.name = "OPENAI_API_KEY", .group = Group::model, .kind = Kind::text, .max = 4096,
     .unit = "bytes", .secret = true,
     .help = "Sent to it as a bearer."},
    {.name = "OPENAI_MODEL", .group = Group::model, .kind = Kind::text,
     .unset_means = "the first that the server lists", .max = 256, .unit = "bytes",
     .help = "The model to ask it for."},
    {.name = "UPSTREAM_CONNECT_TIMEOUT", .group = Group::model, .kind = Kind::integer,
     .initial = "5", .min = 1, .max = 600, .unit = "seconds",
     .help = "For a connection to another server: its name, TCP and TLS. Also for its answer "
             "whether it is well."},
    {.name = "UPSTREAM_FIRST_TOKEN_TIMEOUT", .group = Group::model, .kind = Kind::integer,
     .initial = "120", .min = 1, .max = 3600, .unit = "seconds",
     .help = "From the request to its first token; another server is asked after it."},
    {.name = "UPSTREAM_IDLE_TIMEOUT", .group = Group::model, .kind = Kind::integer, .initial = "30",
     .min = 1, .max = 3600, .unit = "seconds",
     .help = "Between two tokens; the answer then ends as failed, with what there was."},
    {.name = "UPSTREAM_MAX_RUNS", .group = Group::model, .kind = Kind::integer, .initial = "256",
     .min = 1, .max = 100000, .unit = "answers",
     .help = "Answers of other servers at once; more wait here."},
    {.name = "UPSTREAM_CA_FILE", .group = Group::model, .kind = Kind::path,
     .help = "PEM certificates to trust besides the system's, for servers with one of their own. "
             "Read again once it has changed."},
    // -- runs
    {.name = "RUN_GRACE_SECONDS", .group = Group::runs, .kind = Kind::integer, .initial = "30",
     .min = 0, .max = 86400, .unit = "seconds",
     .help = "A run whose last socket was lost goes on this long, then it is cancelled."},
    {.name = "RUN_RETENTION_HOURS", .group = Group::runs, .kind = Kind::integer, .initial = "24",
     .min = 0, .max = 8760, .unit = "hours",
     .help = "A finished run can be replayed this long, and as long as it is in memory. "
             "Conversations stay."},
    {.name = "RUNS_PER_CLIENT", .group = Group::runs, .kind = Kind::pair, .initial = "4,16",
     .min = 1, .max = 10000, .unit = "runs",
     .help = "Runs of one client that generate at once, and that wait; past that OVERLOADED."},
    {.name = "RUNS_WAITING", .group = Group::runs, .kind = Kind::integer, .initial = "256",
     .min = 1, .max = 100000, .unit = "runs",
     .help = "Runs of all clients that wait; past that OVERLOADED."},
    // -- documents
    {.name = "VECTOR_STORE", .group = Group::documents, .kind = Kind::choice, .initial = "embedded",
     .choices = "embedded|chroma", .effect = Effect::later,
     .help = "Where vectors are kept."},
    {.name = "CHROMA_HOST", .group = Group::documents, .kind = Kind::text, .effect = Effect::later,
     .help = "Address of a Chroma server."},
    {.name = "CHROMA_COLLECTION_NAME", .group = Group::documents, .kind = Kind::text,
     .initial = "tars_documents", .min = 1, .max = 512, .effect = Effect::later,
     .help = "The collection in it."},
    {.name = "CHUNK_SIZE", .group = Group::documents, .kind = Kind::integer,
     .unset_means = "what suits the embedding model", .min = 16, .max = 8192, .unit = "tokens",
     .effect = Effect::later,
     .help = "Length of a chunk."},
    {.name = "CHUNK_OVERLAP", .group = Group::documents, .kind = Kind::integer, .initial = "50",
     .min = 0, .max = 4096, .unit = "tokens", .effect = Effect::later,
     .help = "What two neighbours share."},
    {.name = "MAX_FILE_SIZE_MB", .group = Group::documents, .kind = Kind::integer, .initial = "50",
     .min = 1, .max = 10240, .unit = "megabytes", .effect = Effect::later,
     .help = "A larger file is not indexed."},
    {.name = "ALLOWED_EXTENSIONS", .group = Group::documents, .kind = Kind::list,
     .unset_means = "every format that can be read", .effect = Effect::later,
     .help = "File types to index, such as .pdf,.md."},
    {.name = "RAG_TOP_K", .group = Group::documents, .kind = Kind::integer, .initial = "5",
     .min = 1, .max = 20, .unit = "chunks", .effect = Effect::later,
     .help = "Chunks in a prompt."},
    {.name = "RAG_RELEVANCE_THRESHOLD", .group = Group::documents, .kind = Kind::number,
     .unset_means = "calibrated for the embedding model", .min = 0, .max = 1,
     .effect = Effect::later,
     .help = "Less similar chunks are left out."},
    {.name = "RAG_RERANK_ENABLED", .group = Group::documents, .kind = Kind::boolean,
     .initial = "false", .effect = Effect::later,
     .help = "Order the chunks found by a second look."},
    {.name = "NAS_MOUNT_POINT", .group = Group::documents, .kind = Kind::path,
     .effect = Effect::later,
     .help = "A folder whose files may be indexed."},
    {.name = "WATCH_DIRECTORIES", .group = Group::documents, .kind = Kind::list,
     .effect = Effect::later,
     .help = "Folders kept indexed."},
    {.name = "NAS_WATCH_ENABLED", .group = Group::documents, .kind = Kind::boolean,
     .initial = "false", .effect = Effect::later,
     .help = "Keep NAS_MOUNT_POINT indexed."},
    {.name = "NAS_SCAN_INTERVAL", .group = Group::documents, .kind = Kind::integer,
     .initial = "3600", .min = 1, .max = 604800, .unit = "seconds", .effect = Effect::later,
     .help = "Time between two looks at folders that cannot tell of changes."},
});
// clang-format on

}  // namespace

std::span<const Option> options() { return kOptions; }

}  // namespace tars::config
