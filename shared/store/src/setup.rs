//! Making the tables, where nothing else makes them: on one machine and in tests. In AWS the template does.

use aws_sdk_dynamodb::types::{
    AttributeDefinition, BillingMode, KeySchemaElement, KeyType, ScalarAttributeType, StreamSpecification,
    StreamViewType, TimeToLiveSpecification,
};
use contract::Error;

use crate::dynamo::fault;
use crate::tables::{Table, TableNames};

/// Makes the tables that are not there, as the template does.
///
/// # Errors
/// Whatever DynamoDB says, but for a table that is there.
pub async fn create_tables(dynamo: &aws_sdk_dynamodb::Client, names: &TableNames) -> Result<(), Error> {
    for table in Table::ALL {
        let attribute = |name: &str| {
            AttributeDefinition::builder().attribute_name(name).attribute_type(ScalarAttributeType::S).build()
        };
        let element = |name: &str, of| KeySchemaElement::builder().attribute_name(name).key_type(of).build();
        let wrong = |error: aws_sdk_dynamodb::error::BuildError| Error::internal(error.to_string());
        let stream = StreamSpecification::builder()
            .stream_enabled(true)
            .stream_view_type(StreamViewType::NewAndOldImages)
            .build()
            .map_err(wrong)?;
        let created = dynamo
            .create_table()
            .table_name(names.of(table))
            .attribute_definitions(attribute("pk").map_err(wrong)?)
            .attribute_definitions(attribute("sk").map_err(wrong)?)
            .key_schema(element("pk", KeyType::Hash).map_err(wrong)?)
            .key_schema(element("sk", KeyType::Range).map_err(wrong)?)
            .billing_mode(BillingMode::PayPerRequest)
            .set_stream_specification(table.streams().then_some(stream))
            .send()
            .await;
        match created {
            Ok(_) => {}
            Err(error) if error.as_service_error().is_some_and(|e| e.is_resource_in_use_exception()) => continue,
            Err(error) => return Err(fault("CreateTable", &error)),
        }
        if let Some(attribute) = table.ttl() {
            let ttl =
                TimeToLiveSpecification::builder().attribute_name(attribute).enabled(true).build().map_err(wrong)?;
            let call = dynamo.update_time_to_live().table_name(names.of(table)).time_to_live_specification(ttl);
            call.send().await.map_err(|error| fault("UpdateTimeToLive", &error))?;
        }
    }
    Ok(())
}
