/**
 * What AWS asks for in us-east-1, on demand, in US dollars: the first tier, without the free one. Put your own
 * here, and `npm run bench -- --cost` prints your tables.
 */
export const prices = {
  /** API Gateway, HTTP API: a million requests of up to 512 KB each. */
  apiRequests: 1,
  /** Lambda: a million requests. */
  lambdaRequests: 0.2,
  /** Lambda on ARM: a million GB-seconds. */
  lambdaGigabyteSeconds: 13.3334,
  /** DynamoDB on demand: a million units. */
  readUnits: 0.125,
  writeUnits: 0.625,
  /** S3 Standard: a million requests. */
  s3Puts: 5,
  s3Gets: 0.4,
  /** SQS, standard: a million requests. */
  sqsRequests: 0.4,
  /** CloudWatch Logs: a GB taken in. */
  logGigabytes: 0.5,
  /** CloudWatch, for a month: an alarm over one metric, a dashboard, a metric with values in every hour. */
  alarms: 0.1,
  dashboards: 3,
  metrics: 0.3,
  /** A GB to the internet; the same for any server on AWS. */
  trafficGigabytes: 0.09,
  /** A GB kept for a month: S3 Standard; DynamoDB with point-in-time recovery. */
  s3Gigabytes: 0.023,
  tableGigabytes: 0.45,
  /** Secrets Manager: a secret for a month. */
  secrets: 0.4,
  /** Fargate on Linux and x86, an hour. */
  fargateCpus: 0.04048,
  fargateGigabytes: 0.004445,
  /** An Application Load Balancer and one unit of its capacity, an hour. */
  loadBalancers: 0.0225,
  loadBalancerUnits: 0.008,
  /** A public IPv4 address, an hour. */
  addresses: 0.005,
  /** EKS: the control plane, an hour. */
  clusters: 0.1,
  /** An m5.large node (2 vCPU, 8 GB), an hour. */
  nodes: 0.096,
  /** A GB of a node's disk (EBS gp3) for a month. */
  diskGigabytes: 0.08,
  /** RDS for PostgreSQL: a db.t4g.medium in one zone, an hour; a GB of its disk for a month. */
  databases: 0.065,
  databaseGigabytes: 0.115,
  /** ElastiCache: a cache.t4g.small, an hour. */
  caches: 0.032,
} as const;

export type Prices = Readonly<Record<keyof typeof prices, number>>;
