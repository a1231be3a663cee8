import { NestedStack } from 'aws-cdk-lib';
import { ApiMapping, DomainName, type HttpApi, SecurityPolicy } from 'aws-cdk-lib/aws-apigatewayv2';
import { Certificate } from 'aws-cdk-lib/aws-certificatemanager';
import { CfnRecordSet } from 'aws-cdk-lib/aws-route53';
import type { Construct } from 'constructs';
import type { CloudSettings } from './cloud-settings.ts';

export type DomainProps = Pick<CloudSettings, 'domainName' | 'certificateArn' | 'hostedZoneId'> & {
  readonly api: HttpApi;
  /** Path below the name at which the API is; empty for its root. */
  readonly contextPath: string;
};

/** The API's own name, in a nested stack: it refers to the API, and nothing of the API to it. */
export class Domain extends NestedStack {
  /** Where clients reach the root repository, without `/` at its end. */
  readonly url: string;
  /** The host name that a DNS record of the domain name leads to. */
  readonly target: string;
  /** The zone of Route 53 that the target is in, for an alias record. */
  readonly targetHostedZoneId: string;

  constructor(scope: Construct, id: string, props: DomainProps) {
    super(scope, id, { description: 'Chartroom: its own domain name' });
    const { api, domainName, certificateArn, hostedZoneId, contextPath } = props;
    const domain = new DomainName(this, 'Name', {
      domainName,
      certificate: Certificate.fromCertificateArn(this, 'Certificate', certificateArn),
      // The only one that takes base paths of several parts.
      securityPolicy: SecurityPolicy.TLS_1_2,
    });
    const mapping = new ApiMapping(this, 'Mapping', {
      api,
      domainName: domain,
      ...(contextPath !== '' && { apiMappingKey: contextPath.slice(1) }),
    });
    // It names the stage, and does not refer to it.
    if (api.defaultStage !== undefined) mapping.node.addDependency(api.defaultStage);
    this.url = `https://${domainName}${contextPath}`;
    this.target = domain.regionalDomainName;
    this.targetHostedZoneId = domain.regionalHostedZoneId;
    if (hostedZoneId === '') return;
    new CfnRecordSet(this, 'Record', {
      name: domainName,
      type: 'A',
      hostedZoneId,
      aliasTarget: { dnsName: this.target, hostedZoneId: this.targetHostedZoneId },
    });
  }
}
